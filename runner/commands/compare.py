"""`initlab compare A B`."""

from __future__ import annotations

import argparse
from pathlib import Path

from initlab.runner.command import Command, register


@register
class Compare(Command):
    """Compare two runs or snapshot files, tensor by tensor.

    exit codes:
      0   the same tensors, with the same bits and ties
      1   something differs
      2   a side cannot be read

    Example:
        initlab compare outputs/runs/a outputs/runs/b
    """

    usage = "A B"
    summary = "two runs or snapshots, tensor by tensor"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the two sides."""
        for name in ("A", "B"):
            parser.add_argument(
                name.lower(), metavar=name, type=Path, help="a run folder or a snapshot file"
            )
        parser.add_argument(
            "--all", action="store_true", help="a row for each of repeated blocks, not one for all"
        )
        parser.add_argument("--json", action="store_true", help="print JSON instead of tables")

    def perform(self, given: argparse.Namespace) -> int:
        """Print the comparison."""
        from initlab.runner.check.compare import compare, describe, open_sides
        from initlab.runner.check.comparison import print_comparison
        from initlab.runner.files import in_json
        from initlab.runner.terminal import tables

        found = compare(*open_sides(given.a, given.b))
        if given.json:
            tables.print_json(in_json(describe(found)))
        else:
            print_comparison(tables.console(), found, fold=not given.all)
        return 0 if found.identical else 1
