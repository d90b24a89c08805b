"""`initlab join RUN_DIR …`."""

from __future__ import annotations

import argparse
from pathlib import Path

from initlab.runner.command import Command, register


@register
class Join(Command):
    """Join the finished parts of a sharded run into the folder of the whole run.

    exit codes:
      0   the whole run's folder has all parts, the index and a manifest
      2   a part is missing, given twice, unfinished, changed, or of another run

    Example:
        initlab join outputs/runs/a outputs/runs/b
    """

    usage = "RUN_DIR ..."
    summary = "join the parts of a sharded run"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the parts."""
        parser.add_argument(
            "folders", nargs="+", metavar="RUN_DIR", help="the folder of a run with shard=i/n"
        )

    def perform(self, given: argparse.Namespace) -> int:
        """Print the root digest and the folder of the whole."""
        from initlab.runner.check.join import join
        from initlab.runner.evidence.folder import RunFolder

        folder = join([Path(folder) for folder in given.folders])
        print(f"root {RunFolder(folder).manifest.digests.root}")
        print(folder)
        return 0
