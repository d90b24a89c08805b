"""`initlab seal RUN_DIR`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from initlab.runner.command import Command, register


@register
class Seal(Command):
    """Write a detached list of a run's files with their SHA-256, to be signed.

    The list is what the tool model-signing (OpenSSF) states of a folder; docs/verify.md in the
    source shows how to sign and check it. Nothing is signed or drawn here: the files are held
    against the manifest, then listed.

    exit codes:
      0   the seal is written, or with --check the folder is as the seal says
      1   with --check: a file is missing, added or changed
      2   the run or the seal is missing or damaged
    """

    usage = "RUN_DIR"
    summary = "list a run's files with digests, to be signed"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the folder and the file."""
        parser.add_argument("folder", type=Path, metavar="RUN_DIR", help="outputs/<name>/<run id>")
        parser.add_argument(
            "-o", "--output", type=Path, metavar="FILE", help="default: RUN_DIR.seal.json"
        )
        parser.add_argument(
            "--check", type=Path, metavar="FILE", help="compare the folder with this seal"
        )

    def perform(self, given: argparse.Namespace) -> int:
        """Write the seal, or compare with one."""
        from initlab.runner.check.seal import compare, read, seal

        if given.check is None:
            print(seal(given.folder, given.output))
            return 0
        wrong = compare(given.folder, given.check)
        if wrong is not None:
            print(f"{given.folder}: {wrong}", file=sys.stderr)
            return 1
        print(f"{given.folder}: as sealed, {len(read(given.check))} files")
        return 0
