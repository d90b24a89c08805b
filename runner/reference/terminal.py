"""The text of `initlab help NAME`: the groups, one group, or what has the name."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from initlab.engine.registry import nearest
from initlab.runner.command import REGISTRY as COMMANDS
from initlab.runner.errors import ConfigError
from initlab.runner.reference.entry import Entry, Option
from initlab.runner.reference.groups import Group, groups

LEFT = 18
"""Columns for names."""
WORD = re.compile(r"(?:'[^']*'|[^\s'])+")
"""A word of a shell, which may have spaces in quotes."""


@dataclass(frozen=True)
class Line:
    """A line of the text; a heading may be printed in bold."""

    text: str
    heading: bool = False


def help_on(name: str, folders: Sequence[Path], width: int) -> list[Line]:
    """Return the lines about a name: of a group, of an entry, `group.entry`, or of an option.

    Raises ConfigError, with the nearest name, if nothing has the name.
    """
    known = groups()
    if not name:
        return list(listed_groups(known.values(), folders, width))
    group = group_of(name, known)
    found = matches(name, known, folders)
    if group is not None:
        blocks = [list(about_group(group, folders, width))]
        blocks += [[other(one, known[one.group])] for one in found]
    else:
        blocks = [list(about(one, known[one.group], width)) for one in found]
    if not blocks:
        blocks = [list(about_option(name, known, folders, width))]
    lines = [line for block in blocks for line in (Line(""), *block)]
    return lines[1:]


def group_of(name: str, known: dict[str, Group]) -> Group | None:
    """Return the group of a name, or of what it is a list of: `init`, `initializers`, `initializer`."""
    called = (one for one in known.values() if name in (one.name, one.title.lower(), one.singular))
    return known.get(name) or next(called, None)


def other(entry: Entry, group: Group) -> Line:
    """Return the line that names an entry with the name of a group."""
    said = f"'{entry.name}' is a {group.singular} too"
    return Line(f"{said}: initlab help {group.name}.{entry.name}")


def matches(name: str, known: dict[str, Group], folders: Sequence[Path]) -> list[Entry]:
    """Return the entries of a name in all groups, or the one that `group.name` or `group=name` says."""
    before, dot, after = name.replace("=", ".", 1).partition(".")
    group = group_of(before, known)
    if dot and group is not None:
        within = group.entries(folders)
        if after in within:
            return [within[after]]
    entries = [one.entries(folders) for one in known.values()]
    found = [one[name.lower()] for one in entries if name.lower() in one]
    keys = known["keys"].entries()
    return found or [one for key, one in keys.items() if key.rpartition(".")[2] == name]


def about_option(
    name: str, known: dict[str, Group], folders: Sequence[Path], width: int
) -> Iterator[Line]:
    """Yield the lines about an option of this name. Raises ConfigError if there is none."""
    before, _, last = name.replace("=", ".").rpartition(".")
    homes: list[tuple[Entry, Option]] = []
    names = set(known)
    for group in known.values():
        for entry in group.entries(folders).values():
            names.add(entry.name)
            for option in entry.options if group.name != "keys" else ():
                names.add(option.name)
                if option.name == last and (not before or before in (group.name, entry.name)):
                    homes.append((entry, option))
    if not homes:
        group = group_of(before, known) if before else None
        within = None if group is None else nearest(last, group.entries(folders))
        close = nearest(name, names) if group is None or within is None else f"{before}.{within}"
        said = "is nothing that a config can name"
        hint = f"did you mean '{close}'? " if close else ""
        raise ConfigError.of(name, f"{said} - {hint}initlab help lists the groups", unknown=True)
    yield Line(f"'{last}' is an option of", heading=True)
    told: dict[tuple[str, str | None, str], list[str]] = {}
    for entry, option in homes:
        same = (option.values, option.default, option.about)
        told.setdefault(same, []).append(f"{entry.group}.{entry.name}")
    for (values, default, said), places in told.items():
        yield from wrapped(", ".join(places), width, "  ")
        yield from wrapped(values_of(Option(last, values, default)), width, "      ")
        yield from wrapped(said, width, "      ")


def listed_groups(known: Iterable[Group], folders: Sequence[Path], width: int) -> Iterator[Line]:
    """Yield the lines of `initlab help`."""
    yield Line("What a config can name, by group", heading=True)
    for group in known:
        count = len(group.entries(folders))
        default = f", default {', '.join(group.default)}" if group.default else ""
        yield from entry_line(group.name, f"{group.about} ({count}{default})", width)
    yield Line("")
    yield Line("More", heading=True)
    for word, said in (
        ("init", "the names of a group"),
        ("he", "one name: options, defaults, formula, source, an example"),
        ("init.normal", "of two that have one name, this one"),
        ("sigma", "which kinds have an option of this name"),
        ("--plugin FILE", "with what a Python file adds"),
        ("--config-dir DIR", "with your own DIR/init/wide.yaml"),
    ):
        yield from entry_line(f"initlab help {word}", said, width, 34)


def about_group(group: Group, folders: Sequence[Path], width: int) -> Iterator[Line]:
    """Yield the lines about a group: what it is, and a line for each name."""
    chosen = f" ({group.chosen}; * is the default)" if group.default else f" ({group.chosen})"
    yield Line(f"{group.title}{chosen if group.chosen else ''}", heading=True)
    yield from wrapped(group.about, width, "  ")
    yield Line("")
    for name, entry in group.entries(folders).items():
        marked = f"{name}*" if name in group.default else name
        yield from entry_line(marked, entry.summary, width)
    yield Line("")
    yield from wrapped(f"One of them: initlab help {group.name}.NAME, or initlab help NAME", width)


def about(entry: Entry, group: Group, width: int) -> Iterator[Line]:
    """Yield the lines about an entry. Those about a command are its own help."""
    if entry.group == "commands":
        yield Line(f"{entry.name}: command, initlab {entry.name}", heading=True)
        yield from map(Line, COMMANDS.get(entry.name)().parser(width).format_help().splitlines())
        return
    how = group.chosen.replace("NAME, NAME", "NAME").replace("NAME", entry.name)
    yield Line(f"{entry.name}: {group.singular}", heading=True)
    for paragraph in entry.text:
        yield from said(paragraph, width)
    rows = (("Formula", entry.formula), ("Source", entry.source), ("Chosen by", how))
    for title, text in rows:
        if text:
            yield Line("")
            yield from entry_line(title, text, width, 11)
    if entry.options and group.name != "keys":
        yield Line("")
        yield Line("Options", heading=True)
        for option in entry.options:
            yield from entry_line(option.name, values_of(option), width)
            yield from wrapped(option.about, width, " " * (LEFT + 2))
    for option in entry.options if group.name == "keys" else ():
        yield from entry_line("Values", values_of(option), width, 11)
    if entry.notes:
        yield Line("")
        yield Line("The same kind under other names", heading=True)
        for note in entry.notes:
            yield from wrapped(note, width, "      ", "  ")
    if entry.example:
        yield Line("")
        yield Line("Example", heading=True)
        for line in entry.example.split("\n"):
            yield from continued(line, width)


def continued(line: str, width: int) -> Iterator[Line]:
    """Yield a line of an example. One of words, or of one mapping, that is too long goes on in the next
    line, after a backslash where the shell wants it.
    """
    shown, end = f"  {line}", " \\" if line.startswith("initlab") else ""
    if len(shown) > width and (end or line.startswith("{")):
        shown = " "
        for word in WORD.findall(line):
            if len(f"{shown} {word}{end}") > width:
                yield Line(f"{shown}{end}")
                shown = "     "
            shown += f" {word}"
    yield Line(shown.rstrip())


def said(paragraph: str, width: int) -> Iterator[Line]:
    """Yield a paragraph: its own lines if it has some, else lines of the width."""
    own = "\n" in paragraph or paragraph.startswith(" ")
    for line in paragraph.split("\n"):
        indent = "  " + line[: len(line) - len(line.lstrip())]
        if own and len(line) + 2 <= width:
            yield Line(f"  {line}")
        else:
            yield from wrapped(line.strip(), width, indent + "    " * own, indent)


def values_of(option: Option) -> str:
    """Return what an option may be and its default."""
    values = option.values or "any value"
    return f"{values}; must be given" if option.required else f"{values} (default {option.default})"


def entry_line(name: str, text: str, width: int, left: int = LEFT) -> Iterator[Line]:
    """Yield lines with a name and its meaning, which begins on a line of its own after a long name."""
    if len(name) >= left:
        yield Line(f"  {name}")
        yield from wrapped(text, width, " " * (left + 2))
    else:
        yield from wrapped(text, width, " " * (left + 2), f"  {name:<{left}}")


def wrapped(text: str, width: int, indent: str = "", first: str | None = None) -> Iterator[Line]:
    """Yield lines of at most `width` columns, broken between words."""
    yield from map(
        Line,
        textwrap.wrap(
            text,
            width,
            initial_indent=indent if first is None else first,
            subsequent_indent=indent,
            break_long_words=False,
            break_on_hyphens=False,
        ),
    )
