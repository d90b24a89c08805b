"""`initlab diagnose WORD …`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from initlab.runner.command import Command, add_words, register
from initlab.runner.commands.plan import with_task


@register
class Diagnose(Command):
    """Say what is known to hurt in the network that the words declare; nothing is written.

    The parameters are drawn, and one batch is sent through the network and back. Each finding says
    where, what was measured, what is expected, why it matters, and what to write instead. The same as
    task=diagnose.

    exit codes:
      0   the diagnosis is printed, whatever it says
      2   a word, a file or the plan itself is refused

    Example:
        initlab diagnose model=deep_mlp init=normal
    """

    usage = "GROUP=OPTION KEY=VALUE ..."
    summary = "what is known to hurt before the first step; writes nothing"

    takes_overrides = True

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the words, for `--help`."""
        add_words(parser)

    def main(self, words: Sequence[str]) -> int:
        """Run the words with `task=diagnose`, like `initlab run`.

        Raises ConfigError for words that say something else about what to do.
        """
        return with_task("diagnose", words)
