"""`initlab ls [WHERE] …`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from initlab.runner.command import Command, add_root, register


@register
class Ls(Command):
    """List every run below outputs/, finished or not, whichever sweep made it; the newest is last.

    WHERE is a condition, like "init.kind == 'he' and figures.loss < 2.4", "state == 'failed'" or
    "'baseline' in tags". Conditions and columns name facts of a run (state, when, model, diagnosis, …),
    keys of its config and figures: docs/runs.md in the source lists the facts, docs/figures.md has
    the language.

    exit codes:
      0   the runs are listed, or there is none
      2   a name is wrong, or there is no such folder

    Example:
        initlab ls "state == 'finished'" --sort figures.loss
    """

    usage = "[WHERE]"
    summary = "the runs in outputs/, those that match a condition"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the condition, the columns, the order and the form."""
        parser.add_argument("where", nargs="?", metavar="WHERE", help="which runs; all by default")
        add_root(parser)
        parser.add_argument(
            "--columns", metavar="A,B", help="what is shown after the path: init.kind,figures.loss"
        )
        parser.add_argument(
            "--sort",
            metavar="[-]A",
            help="the order: figures.loss, or -figures.loss with the largest first",
        )
        form = parser.add_mutually_exclusive_group()
        form.add_argument(
            "--csv", action="store_true", help="a table of everything, or of the columns"
        )
        form.add_argument("--json", action="store_true", help="the same as a JSON array")

    def main(self, words: Sequence[str]) -> int:
        """Parse the words, of which the one after --sort may begin with a sign, and perform."""
        joined: list[str] = []
        for word in words:
            if joined and joined[-1] == "--sort":
                joined[-1] = f"--sort={word}"
            else:
                joined.append(word)
        return super().main(joined)

    def perform(self, given: argparse.Namespace) -> int:
        """Print the runs."""
        from initlab.runner.keeping.listing import Wanted, list_runs

        form = "csv" if given.csv else "json" if given.json else "table"
        list_runs(given.root, Wanted(given.where, given.columns, given.sort, form))
        return 0
