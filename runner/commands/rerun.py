"""`initlab rerun DIR …`."""

from __future__ import annotations

import argparse
from pathlib import Path

from initlab.runner.command import Command, register
from initlab.runner.errors import EXIT_REFUSED, EvidenceError, print_error


@register
class Rerun(Command):
    """Make finished runs again from what they recorded, each into a new folder, and compare.

    The config is that of the manifest: no word and no folder of options is needed. The code of a
    plugin is run only if you say so, with --trust or --plugin. For the folder of a sweep, every run
    that it lists is made again. initlab verify computes a run again in memory and checks its files;
    this makes a new run, on the run's own device.

    exit codes:
      0   every run came out the same: values and figures
      1   one came out different, or failed
      2   one cannot be made again: it did not finish, or what it needs has changed or is gone

    Example:
        initlab rerun outputs/runs/a
    """

    usage = "DIR ..."
    summary = "make finished runs again, and say whether they came out the same"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Folders of runs and names, and where the new runs go."""
        parser.add_argument(
            "folders", nargs="+", metavar="DIR", help="outputs/<name>/<run id>, or outputs/<name>"
        )
        parser.add_argument(
            "--into",
            type=Path,
            metavar="DIR",
            help="where the new runs go, each in a folder of its own; default: outputs/reruns",
        )
        parser.add_argument(
            "--trust",
            action="store_true",
            help="load the plugin files that the runs recorded, if they are unchanged",
        )

    def perform(self, given: argparse.Namespace) -> int:
        """Print a line for each run; return the worst exit code."""
        from initlab.runner.check.rerun import INTO, rerun_all
        from initlab.runner.evidence.found import meant
        from initlab.runner.listing import print_line
        from initlab.runner.terminal.tables import console

        worst = 0
        for answer in rerun_all(
            list(map(meant, given.folders)), given.into or INTO, trust=given.trust
        ):
            if answer.code == EXIT_REFUSED:
                print_error(EvidenceError(answer.text))
            else:
                print_line(console(err=bool(answer.code)), answer.text)
            worst = max(worst, answer.code)
        return worst
