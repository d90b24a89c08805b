"""The base class of subcommands of `initlab`; the commands themselves are in `runner/commands`.

A command imports what it needs when it runs, not at the top of its file, so that `initlab --help`
and the other commands start fast.
"""

from __future__ import annotations

import argparse
import inspect
from collections.abc import Sequence
from typing import ClassVar, NoReturn, TypeVar

from initlab.engine.registry import Registry, snake_case
from initlab.runner.errors import ConfigError

C = TypeVar("C", bound="Command")


class Parser(argparse.ArgumentParser):
    """A parser whose refusals are one line, like those of everything else."""

    def error(self, message: str) -> NoReturn:
        """Raise ConfigError."""
        raise ConfigError.of(self.prog, f"{message} - {self.prog} --help lists what it takes")


class Command:
    """A subcommand: `initlab NAME …`, and in a checkout `python -m runner.NAME …` too.

    The name of the command is that of the class. `usage` is what follows the name in `initlab
    --help`, `summary` is one line about it, and the class's docstring is the text of `initlab NAME
    --help`.
    """

    name: ClassVar[str]
    usage: ClassVar[str] = ""
    summary: ClassVar[str] = ""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments of the command. Every command accepts `--plugin FILE`."""

    def perform(self, given: argparse.Namespace) -> int:
        """Run the command; return the exit code. A `RunnerError` is printed and gives its own exit
        code.
        """
        raise NotImplementedError

    def main(self, words: Sequence[str]) -> int:
        """Parse the words after the name, and perform. Raises SystemExit, with code 2, for wrong
        words.
        """
        parser = Parser(
            prog=f"initlab {self.name}",
            description=inspect.getdoc(self),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        self.add_arguments(parser)
        plugin = "a Python file that the runs use; may be given several times"
        parser.add_argument("--plugin", action="append", default=[], metavar="FILE", help=plugin)
        return self.perform(parser.parse_intermixed_args(words))


REGISTRY: Registry[type[Command]] = Registry("command")


def register(cls: type[C]) -> type[C]:
    """Register a command under its class's name in snake case."""
    cls.name = snake_case(cls.__name__)
    REGISTRY.add(cls.name, cls)
    return cls
