"""`initlab compare A B …`."""

from __future__ import annotations

import argparse
from pathlib import Path

from initlab.runner.command import Command, register


@register
class Compare(Command):
    """Compare runs or snapshot files, tensor by tensor, or two folders of runs, run by run.

    Of more than two runs, each is compared with the first one, in a line. The runs of outputs/a and
    outputs/b are paired by the digits of their ids, then by their words, and their roots are compared.

    exit codes:
      0   the same tensors, with the same bits and ties; of folders, the same runs with the same roots
      1   something differs
      2   a side cannot be read

    Example:
        initlab compare outputs/runs/a outputs/runs/b
    """

    usage = "A B ..."
    summary = "runs or snapshots, tensor by tensor; or two folders of runs"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the sides."""
        parser.add_argument(
            "sides",
            nargs="+",
            metavar="A",
            type=Path,
            help="run folders or snapshot files, or two folders of runs: outputs/a outputs/b",
        )
        parser.add_argument(
            "--all", action="store_true", help="a row for each of repeated blocks, not one for all"
        )
        parser.add_argument("--json", action="store_true", help="print JSON instead of tables")

    def perform(self, given: argparse.Namespace) -> int:
        """Print the comparison."""
        from initlab.runner.check.compare import describe
        from initlab.runner.check.comparison import print_comparison, print_matched, print_several
        from initlab.runner.check.matching import (
            are_names,
            compare_all,
            describe_all,
            describe_matched,
            match,
        )
        from initlab.runner.check.several import beside_runs
        from initlab.runner.errors import ConfigError
        from initlab.runner.evidence.found import meant
        from initlab.runner.files import in_json
        from initlab.runner.terminal import tables

        sides, _ = beside_runs([meant(side) for side in given.sides])
        if len(sides) < 2:
            raise ConfigError.of(
                "compare", "needs two sides or more - give runs, or two folders of runs"
            )
        if are_names(sides):
            matched = match(*sides)
            if given.json:
                tables.print_json(in_json(describe_matched(matched)))
            else:
                print_matched(tables.console(), matched)
            return 0 if matched.identical else 1
        found = compare_all(sides)
        if given.json and len(found) == 1:
            tables.print_json(in_json(describe(found[0])))
        elif given.json:
            tables.print_json(in_json(describe_all(sides, found)))
        elif len(found) == 1:
            print_comparison(tables.console(), found[0], fold=not given.all)
        else:
            print_several(tables.console(), sides, found)
        return 0 if all(one.identical for one in found) else 1
