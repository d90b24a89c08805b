"""`initlab show DIR`."""

from __future__ import annotations

import argparse

from initlab.runner.command import Command, register


@register
class Show(Command):
    """Print a finished run's tables and diagnosis again, as the run printed them; of a folder of a
    sweep its result; of a run that did not finish its state and its error. Everything is read from
    the files there.

    exit codes:
      0   it is printed
      2   the folder holds no run, or a file of it is damaged

    Example:
        initlab show outputs/runs/a
    """

    usage = "DIR"
    summary = "print a run or a sweep's result again"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the folder."""
        parser.add_argument(
            "folder",
            metavar="DIR",
            help="outputs/<name>/<run id>, or outputs/<name>, also as initlab ls prints it",
        )

    def perform(self, given: argparse.Namespace) -> int:
        """Print what is in the folder."""
        from initlab.runner.keeping.showing import show
        from initlab.runner.terminal.tables import console

        show(given.folder, console())
        return 0
