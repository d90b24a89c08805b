"""`initlab plan WORD …`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

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
      0   the plan is printed, and the declaration is written if asked for
      2   a word, a file or the plan itself is refused

    Example:
        initlab plan init=he model=lenet data=digits
    """

    usage = "GROUP=OPTION KEY=VALUE ... [--write-spec FILE]"
    summary = "what a run would draw, and why; writes no run"

    takes_overrides = True

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the words and the file."""
        add_words(parser)
        parser.add_argument(
            "--write-spec",
            type=Path,
            metavar="FILE",
            help="write the plan as a declaration for initlab audit --against",
        )

    def main(self, words: Sequence[str]) -> int:
        """Run the words with `task=plan`, like `initlab run`, or write the plan.

        Raises ConfigError for words that say something else about what to do.
        """
        if not any(word.partition("=")[0] == "--write-spec" for word in words):
            return with_task("plan", words)
        return super().main(words)

    def perform(self, given: argparse.Namespace) -> int:
        """Print the plan and write it as a declaration."""
        from initlab.runner.errors import ConfigError
        from initlab.runner.launch import print_plan

        check_words("plan", given.words)
        if given.multirun:
            raise ConfigError.of(
                "-m", "is for a sweep, and a declaration is of one run - leave it out"
            )
        print_plan(given.words, given.config_dir, given.write_spec)
        return 0


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
