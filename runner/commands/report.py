"""`initlab report DIR …`."""

from __future__ import annotations

import argparse
from pathlib import Path

from initlab.runner.command import Command, register
from initlab.runner.errors import ConfigError, RunnerError, print_error


@register
class Report(Command):
    """Write report.html into the folders of finished runs and of names, from the files there.

    The report of outputs/<name> is about all runs in it: of every sweep, and single ones. With --last it
    is about the last sweep only.

    exit codes:
      0   each folder has its report
      2   a folder is neither a finished run nor holds any, or cannot be read; its older report is kept

    Example:
        initlab report outputs/runs/a
    """

    usage = "DIR ..."
    summary = "one HTML page about a run, or about all runs of a name"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the folders."""
        parser.add_argument(
            "folders",
            nargs="+",
            metavar="DIR",
            help="outputs/<name>/<run id>, or outputs/<name>",
        )
        parser.add_argument(
            "--last", action="store_true", help="of outputs/<name>: the last sweep, not all runs"
        )

        parser.add_argument(
            "--charts",
            metavar="FOLDER",
            help="write each chart there as an SVG file, and no report",
        )

    def perform(self, given: argparse.Namespace) -> int:
        """Print the path of each report; return the worst exit code."""
        from initlab.runner.evidence.found import meant
        from initlab.runner.report.writing import write_charts, write_report

        if given.charts is not None and len(given.folders) > 1:
            raise ConfigError.of("--charts", "takes the charts of one folder - call it for each")
        worst = 0
        for folder in given.folders:
            try:
                if given.charts is None:
                    print(write_report(meant(folder), given.last))
                else:
                    print(*write_charts(meant(folder), Path(given.charts), given.last), sep="\n")
            except RunnerError as error:
                print_error(error)
                worst = max(worst, error.exit_code)
        return worst
