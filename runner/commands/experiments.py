"""`initlab experiments [NAME …]`."""

from __future__ import annotations

import argparse
from pathlib import Path

from initlab.runner.command import Command, register, terminal_width

NAMES = 19
"""Columns for the names in `--list`."""


@register
class Experiments(Command):
    """Run the experiments that declare claims and judge all their claims together.

    Runs go to outputs/<name>, as with `initlab -m experiment=NAME`; resume=true keeps finished
    ones.

    exit codes:
      0   every claim is reproduced (with --controls: every control is refuted)
      1   a claim is refuted, or a control is not
      2   a name, a word or a file is wrong
      3   a claim is inconclusive, none is refuted

    Example:
        initlab experiments he_forward
    """

    usage = "[NAME ...]"
    summary = "reproduce published results"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the names, and the words for all their runs."""
        parser.add_argument(
            "names",
            nargs="*",
            metavar="NAME",
            help="experiments (default: all that declare claims), and KEY=VALUE for their runs",
        )
        parser.add_argument(
            "--docs", type=Path, metavar="DIR", help="write results.md and figures there"
        )
        parser.add_argument(
            "--controls",
            action="store_true",
            help="run the controls, each of which must be refuted",
        )
        parser.add_argument(
            "--list",
            action="store_true",
            help="list the experiments and their questions, run nothing",
        )

    def perform(self, given: argparse.Namespace) -> int:
        """Run and judge."""
        from initlab.runner.errors import ConfigError
        from initlab.runner.experiments.catalogue import named
        from initlab.runner.experiments.judging import run_all, run_controls
        from initlab.runner.report.drawing import available
        from initlab.runner.terminal.help import wrapped
        from initlab.runner.terminal.tables import console

        overrides = [word for word in given.names if "=" in word]
        chosen = named([word for word in given.names if "=" not in word])
        if given.list:
            for experiment in chosen:
                first = f"{experiment.name:<{NAMES}}"
                lines = wrapped(experiment.question, terminal_width(), " " * NAMES, first)
                print("\n".join(lines))
            return 0
        if given.docs is not None and not available():
            said = "figures are drawn by matplotlib, which is not installed - pip install 'initlab[plot]'"
            raise ConfigError.of("--docs", said)
        if given.controls:
            return run_controls(chosen, console())
        return run_all(chosen, overrides, given.docs, console())
