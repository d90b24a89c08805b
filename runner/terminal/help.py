"""The text of `--help`: config groups with their options, keys, examples, and the other commands.

The meaning of a group or key is its comment in `conf/config.yaml`. Options are the files of `conf/`
and, with `--plugin`, the kinds that have no file. Nothing is composed: other words on the line
are neither read nor checked.
"""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

from initlab.runner.command import PLAIN_WIDTH, REGISTRY, Command
from initlab.runner.config import plugins
from initlab.runner.config.option_files import ROOT, check_overlay, conf_dir, shipped_options

NAMES = 16
"""Columns for the names of groups and keys."""

USAGE = (
    ("initlab GROUP=OPTION KEY=VALUE ...", "one run"),
    ("initlab COMMAND ...", "one of the commands below"),
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


def help_text(config_dir: str | None = None, width: int = PLAIN_WIDTH) -> str:
    """Return the help text in lines of at most `width` columns, but at least one word per line."""
    width = max(width, 40)
    meanings = comments((conf_dir() / f"{ROOT}.yaml").read_text(encoding="utf-8"))
    groups = options(config_dir, kinds=bool(plugins.loaded()))
    keys = {key: said for key, said in meanings.items() if key not in groups and "." not in key}
    sweep = {key: said for key, said in meanings.items() if "." in key}
    parts = [
        "initlab: declare a network, initialize it exactly, leave evidence.",
        section("Usage", columns(USAGE, width)),
        section("Groups: GROUP=OPTION (* is the default)", group_lines(groups, meanings, width)),
        section(
            "Keys: KEY=VALUE",
            [line for key, said in keys.items() for line in entry(key, said, width)],
        ),
        section(
            "Keys of a sweep, mostly in a file",
            [line for key, said in sweep.items() for line in entry(key, said, width)],
        ),
        section(
            "Examples", columns([(f"initlab {words}", said) for words, said in EXAMPLES], width)
        ),
        section(
            "Commands",
            columns(
                [(f"initlab {name} {one.usage}", one.summary) for name, one in commands()], width
            ),
        ),
        section("More", [*wrapped(MORE, width)]),
    ]
    return "\n\n".join(parts)


MORE = (
    "An option's own keys: initlab init=he --cfg job. Each command above has a --help. "
    "The source of InitLab comes with README.md, the way in, and docs/ on sweeps, experiments, "
    "snapshots and streams. "
    "Exit code: 0 done, 1 a run failed or a claim is refuted, 2 something was refused, "
    "3 a claim is inconclusive."
)


def commands() -> list[tuple[str, type[Command]]]:
    """Return the subcommands by name, including those of plugins."""
    return sorted(REGISTRY.entries().items())


def comments(text: str) -> dict[str, str]:
    """Return {group or key: its comment in the root config, in one line}.

    Nested keys are written `sweep.grid`.
    """
    found: dict[str, str] = {}
    parent = key = ""
    for line in text.splitlines():
        if match := re.fullmatch(r"( *)(- )?(\w+):(?: +(?!#)(.*?))??(?: +# (.*))?", line):
            indent, item, name, value, said = match.groups()
            parent = parent if indent or item else name
            key = name if item or not indent else f"{parent}.{name}"
            if said is not None and parent != "hydra":
                found[key] = said.strip()
        elif (match := re.fullmatch(r" +# (.*)", line)) and key in found:
            found[key] += f" {match[1].strip()}"
    return found


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


def defaults(text: str) -> dict[str, set[str]]:
    """Return {group: the option that the root config chooses}."""
    found = re.findall(r"^ +- (\w+): ([\w\[\], ]+?)(?: +#.*)?$", text, re.MULTILINE)
    return {group: set(re.findall(r"\w+", chosen)) for group, chosen in found}


def group_lines(groups: dict[str, list[str]], meanings: dict[str, str], width: int) -> list[str]:
    """Return lines for every group in the order of the root config: its meaning, then its options."""
    chosen = defaults((conf_dir() / f"{ROOT}.yaml").read_text(encoding="utf-8"))
    order = sorted(
        groups,
        key=lambda group: list(meanings).index(group) if group in meanings else len(meanings),
    )
    lines = []
    for group in order:
        names = [f"{name}*" if name in chosen.get(group, ()) else name for name in groups[group]]
        lines += entry(group, meanings.get(group, "of your own"), width)
        lines += wrapped("  ".join(names), width, " " * (NAMES + 2))
    return lines


def entry(name: str, said: str, width: int) -> list[str]:
    """Return lines with a name and its meaning."""
    return wrapped(said, width, " " * (NAMES + 2), f"  {name:<{NAMES}}")


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
