"""`initlab run WORD …`, and `initlab WORD …`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from initlab.runner.command import Command, add_words, register
from initlab.starting import uncollected


@register
class Run(Command):
    """Make the run, or with -m the sweep, that the words declare.

    A run draws every parameter, measures the network and writes values, statistics and a manifest
    to outputs/<name>/<run id>. The command may be left out: initlab init=he is initlab run init=he.

    exit codes:
      0   every run is done, and every claim is reproduced
      1   a run failed or took longer than its timeout, or a claim is refuted
      2   a word or a file is refused
      3   a claim is inconclusive, none is refuted

    Example:
        initlab run init=he seed=3
    """

    usage = "GROUP=OPTION KEY=VALUE ..."
    summary = "one run; `run` may be left out"

    takes_overrides = True

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the words, for `--help`."""
        add_words(parser)

    def main(self, words: Sequence[str]) -> int:
        """Overrides and flags, Hydra's and ours."""
        with uncollected():
            from initlab.runner.launch import launch

        return launch(list(words))
