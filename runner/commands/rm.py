"""`initlab rm WHERE`."""

from __future__ import annotations

import argparse

from initlab.runner.command import Command, add_root, register


@register
class Rm(Command):
    """Remove the runs that match a condition, as initlab ls takes it. They are listed, and the question
    is asked.

    A run that a process is at work on stays, and so does one behind a link. Summary, report and list
    of a sweep are about the runs that are left.

    exit codes:
      0   they are removed, none matches, or the answer was no
      1   some could not be removed: the reason is said
      2   a name is wrong, there is no such folder, or nobody can be asked and --yes is not given

    Example:
        initlab rm "state == 'failed'" --yes
    """

    usage = "WHERE"
    summary = "remove the runs that match a condition"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the condition, the folder and the answer."""
        parser.add_argument("where", metavar="WHERE", help="which runs")
        add_root(parser)
        parser.add_argument("--yes", action="store_true", help="do not ask")

    def perform(self, given: argparse.Namespace) -> int:
        """Remove the runs."""
        from initlab.runner.keeping.removing import remove_runs

        return remove_runs(given.root, given.where, given.yes)
