"""`initlab plan WORD …`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from initlab.runner.command import Command, add_words, register

OF_THE_COMMAND = {
    "plan": ("task", "dry_run"),
    "diagnose": ("task", "dry_run", "diagnose"),
    "advise": ("task", "dry_run", "diagnose"),
}
"""Command -> keys that say what to do with the words, which the command says itself."""


@register
class Plan(Command):
    """Show what a run of the words would draw, and why; nothing is allocated and nothing written.

    A line for each parameter: its shape and fans, the law of its values, the place in the config
    that chose the initializer, the key of its random stream, and its size. The same as task=plan.

    exit codes:
      0   the plan is printed
      2   a word, a file or the plan itself is refused
    """

    usage = "GROUP=OPTION KEY=VALUE ..."
    summary = "what a run would draw, and why; writes nothing"

    takes_overrides = True

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the words, for `--help`."""
        add_words(parser)

    def main(self, words: Sequence[str]) -> int:
        """Run the words with `task=plan`, like `initlab run`.

        Raises ConfigError for words that say something else about what to do.
        """
        return with_task("plan", words)


def with_task(task: str, words: Sequence[str]) -> int:
    """Run the words with this task; return the exit code.

    Raises ConfigError for words that say something else about what to do.
    """
    from initlab.runner.launch import launch

    check_words(task, words)
    return launch([*words, f"task={task}"])


def check_words(command: str, words: Sequence[str]) -> None:
    """Raise ConfigError for words that say something else about what to do than the command."""
    from initlab.runner.errors import Problems

    problems = Problems()
    for word in words:
        key = word.lstrip("+~").partition("=")[0].strip()
        if key in OF_THE_COMMAND[command]:
            said = f"has no meaning beside the command {command}, which makes no run - leave it out"
            problems.add(key, said)
    problems.raise_any()
