"""The base class of subcommands of `initlab`; the commands themselves are in `runner/commands`.

A command imports what it needs when it runs, not at the top of its file, so that `initlab --help`
and the other commands start fast.
"""

from __future__ import annotations

import argparse
import inspect
import re
import shutil
import sys
import textwrap
from collections.abc import Sequence
from typing import ClassVar, NoReturn, TypeVar

from initlab.engine.registry import Registry, snake_case
from initlab.runner.errors import ConfigError

C = TypeVar("C", bound="Command")
PLAIN_WIDTH = 80
"""The width of help if stdout is no terminal."""
WIDEST = 120
"""Longer lines are hard to read."""


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
    takes_overrides: ClassVar[bool] = False
    """Whether `main` passes the words to Hydra, whose own --help would be the general one."""
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
        return self.perform(self.parser().parse_intermixed_args(words))

    def parser(self, width: int | None = None) -> Parser:
        """Return the parser of the words after the name; its help has lines of `width` columns, by
        default those of the terminal.
        """
        width = terminal_width() if width is None else width
        parser = Parser(
            prog=f"initlab {self.name}",
            description="\n".join(filled(inspect.getdoc(self) or "", width)),
            formatter_class=lambda prog: argparse.RawDescriptionHelpFormatter(prog, width=width),
        )
        self.add_arguments(parser)
        plugin = "a Python file that the runs use; may be given several times"
        parser.add_argument("--plugin", action="append", default=[], metavar="FILE", help=plugin)
        return parser


def add_words(parser: argparse.ArgumentParser, sweeps: bool = True) -> None:
    """Declare the words of a run, and of a sweep unless `sweeps` is false: -m is hidden then."""
    parser.add_argument(
        "words",
        nargs="*",
        metavar="WORD",
        help="GROUP=OPTION or KEY=VALUE; initlab help lists all, initlab help he an option's own keys",
    )
    shown = "a sweep: every combination of KEY=A,B" if sweeps else argparse.SUPPRESS
    parser.add_argument("-m", "--multirun", action="store_true", help=shown)
    parser.add_argument("--config-dir", metavar="DIR", help="a folder with options of your own")


def add_root(parser: argparse.ArgumentParser) -> None:
    """Declare the folder of all runs."""
    parser.add_argument(
        "--root",
        metavar="DIR",
        help="the folder of the runs; by default what INITLAB_OUTPUTS in the environment names, or "
        "outputs",
    )


def terminal_width() -> int:
    """Return the width of the terminal, within limits, or 80 columns without one."""
    return min(shutil.get_terminal_size().columns, WIDEST) if sys.stdout.isatty() else PLAIN_WIDTH


def filled(text: str, width: int) -> list[str]:
    """Return the lines of a docstring in at most `width` columns.

    Lines are joined to paragraphs; an indented line like `  0   done` stays a line of its own.
    """
    lines: list[str] = []
    for joined in re.sub(r"(?<=\S)\n(?=\S)", " ", text).splitlines():
        first = re.match(r" +\S+ +|", joined)
        indent = " " * (first.end() if first else 0)
        lines += textwrap.wrap(joined, width, subsequent_indent=indent) or [""]
    return lines


REGISTRY: Registry[type[Command]] = Registry("command")


def register(cls: type[C]) -> type[C]:
    """Register a command under its class's name in snake case."""
    cls.name = snake_case(cls.__name__)
    if cls.__module__ == "__main__":
        sys.exit(f"error: {cls.name} is run by its name: python -m initlab {cls.name}")
    REGISTRY.add(cls.name, cls)
    return cls
