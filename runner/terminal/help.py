"""The text of `--help`: how to call `initlab`, examples, and the commands. What a config can name is
listed by `initlab help`. Nothing is composed: other words on the line are neither read nor checked.
"""

from __future__ import annotations

import textwrap
from pathlib import Path

from initlab.runner.command import PLAIN_WIDTH, REGISTRY, Command
from initlab.runner.config.option_files import check_overlay, shipped_options

USAGE = (
    ("initlab GROUP=OPTION KEY=VALUE ...", "one run"),
    ("initlab COMMAND ...", "one of the commands below"),
    ("initlab help", "what GROUP, OPTION and KEY can be"),
    ("initlab help he", "about one name: options, defaults, an example"),
    ("initlab -m KEY=A,B,... ...", "a sweep: every combination"),
    ("initlab --plugin FILE ...", "with what a Python file adds"),
    ("initlab --config-dir DIR ...", "with your own DIR/init/wide.yaml"),
    ("initlab --cfg job ...", "print the composed config, run nothing"),
    ("initlab --info ...", "print where the config comes from"),
    ("initlab --hydra-help", "print what else Hydra can do"),
    ('eval "$(initlab -sc install=bash)"', "complete words with TAB; or zsh, fish"),
)
EXAMPLES = (
    ("init=xavier model=shared seed=3", ""),
    ("init=normal init.sigma=0.02", "an option's own key"),
    ("task=plan init=he", "what would be drawn, and why"),
    ("-m init=normal,xavier 'seed=range(0,3)'", "a sweep of six"),
    ("-m sweep=initializers dry_run=true", "a declared sweep's runs"),
    ("--plugin my_init.py init=my_init", "an initializer of your own"),
)


def help_text(width: int = PLAIN_WIDTH) -> str:
    """Return the help text in lines of at most `width` columns, but at least one word per line."""
    width = max(width, 40)
    examples = [(f"initlab {words}", said) for words, said in EXAMPLES]
    listed = [(f"initlab {name} {one.usage}", one.summary) for name, one in commands()]
    parts = [
        "initlab: declare a network, initialize it exactly, leave evidence.",
        section("Usage", columns(USAGE, width)),
        section("Examples", columns(examples, width)),
        section("Commands", columns(listed, width)),
        section("More", [*wrapped(MORE, width)]),
    ]
    return "\n\n".join(parts)


MORE = (
    "Every group, option and key, with defaults, formulas and examples: initlab help. "
    "Each command above has a --help. "
    "The source of InitLab comes with README.md, the way in, and docs/ on sweeps, experiments, "
    "snapshots and streams. "
    "Exit code: 0 done, 1 a run failed or a claim is refuted, 2 something was refused, "
    "3 a claim is inconclusive."
)


def commands() -> list[tuple[str, type[Command]]]:
    """Return the subcommands by name, including those of plugins."""
    return sorted(REGISTRY.entries().items())


def options(config_dir: str | None = None, kinds: bool = True) -> dict[str, list[str]]:
    """Return {group: sorted names of its options}, from `conf/` and the user's folder; with `kinds`
    also the kinds that have no file, for which the engine is imported.
    """
    found = {group: set(names) for group, names in shipped_options().items() if names}
    if kinds:
        from initlab.runner.config import schema

        for group in schema.GROUPS:
            found[group] |= set(schema.options_without_file(group, found[group]))
    if config_dir is not None:
        check_overlay(config_dir)
        for file in Path(config_dir).glob("*/*.yaml"):
            found.setdefault(file.parent.name, set()).add(file.stem)
    return {group: sorted(names) for group, names in found.items()}


def columns(rows: tuple[tuple[str, str], ...] | list[tuple[str, str]], width: int) -> list[str]:
    """Return lines with commands on the left and their meaning on the right, or below if it is too
    long.
    """
    left = max(len(command) for command, _ in rows) + 2
    lines = []
    for command, said in rows:
        line = f"  {command:<{left}}{said}".rstrip()
        lines += [line] if len(line) <= width else [f"  {command}", *wrapped(said, width, " " * 6)]
    return lines


def wrapped(text: str, width: int, indent: str = "  ", first: str | None = None) -> list[str]:
    """Return lines of at most `width` columns, broken between words."""
    before = indent if first is None else first
    return textwrap.wrap(
        text,
        width,
        initial_indent=before,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def section(title: str, lines: list[str]) -> str:
    """Return a title and its lines."""
    return "\n".join([title, *lines])
