"""`initlab help [NAME …]`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from initlab.runner.command import Command, register, terminal_width


@register
class Help(Command):
    """Say what a config can name: kinds, option files, keys and commands, with their options.

    Without a name it lists the groups, with the name of a group what is in it. With any other name it
    prints what the name does, its options with their values and defaults, formula, source and an
    example. If several groups have the name, all are printed; init.normal means one of them. Kinds of
    --plugin and options of --config-dir are included.

    exit codes:
      0   the help is printed
      2   nothing has the name

    Example:
        initlab help init
        initlab help dense
        initlab help init.normal
    """

    usage = "[NAME ...]"
    summary = "what a config can name: options, defaults, formula, source, example"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the names."""
        parser.add_argument(
            "names",
            nargs="*",
            metavar="NAME",
            help="a group, a kind, an option, a key or a command",
        )
        parser.add_argument("--config-dir", metavar="DIR", help="a folder with options of your own")

    def perform(self, given: argparse.Namespace) -> int:
        """Print the help."""
        from initlab.runner.reference.groups import overlay
        from initlab.runner.reference.terminal import Line, help_on
        from initlab.runner.terminal.tables import console

        folders, width = overlay(given.config_dir), terminal_width()
        names: Sequence[str] = given.names or [""]
        texts = [help_on(name, folders, width) for name in names]
        out = console()
        for number, lines in enumerate(texts):
            for line in ([Line("")] if number else []) + lines:
                style = "bold" if line.heading else None
                out.print(line.text, style=style, markup=False, soft_wrap=True)
        return 0
