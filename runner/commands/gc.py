"""`initlab gc`."""

from __future__ import annotations

import argparse

from initlab.runner.command import Command, add_root, register


@register
class Gc(Command):
    """Remove what runs left that never finished: folders without manifest on which no process is at
    work, those of failed runs with their errors included, and temporary files, journals and parts
    of snapshots in other folders. All is listed, with what resume=true would lose, and the question
    is asked.

    exit codes:
      0   it is removed, nothing is left over, or the answer was no
      1   something could not be removed: the reason is said
      2   there is no such folder, or nobody can be asked and --yes is not given

    Example:
        initlab gc --yes
    """

    usage = ""
    summary = "remove what unfinished runs left"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the folder and the answer."""
        add_root(parser)
        parser.add_argument("--yes", action="store_true", help="do not ask")

    def perform(self, given: argparse.Namespace) -> int:
        """Remove what is left over."""
        from initlab.runner.keeping.leftovers import collect

        return collect(given.root, given.yes)
