"""`initlab report DIR …`."""

from __future__ import annotations

import argparse
from pathlib import Path

from initlab.runner.command import Command, register
from initlab.runner.errors import RunnerError, print_error


@register
class Report(Command):
    """Write report.html into the folders of finished runs and of sweeps, from the files there.

    exit codes:
      0   each folder has its report
      2   a folder is neither a finished run nor a sweep, or cannot be read; its older report is kept
    """

    usage = "DIR ..."
    summary = "one HTML page about a run or a sweep"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the folders."""
        parser.add_argument(
            "folders",
            nargs="+",
            metavar="DIR",
            help="outputs/<name>/<run id>, or outputs/<name> of a sweep",
        )

    def perform(self, given: argparse.Namespace) -> int:
        """Print the path of each report; return the worst exit code."""
        from initlab.runner.report.writing import write_report

        worst = 0
        for folder in given.folders:
            try:
                print(write_report(Path(folder)))
            except RunnerError as error:
                print_error(error)
                worst = max(worst, error.exit_code)
        return worst
