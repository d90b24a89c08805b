"""The pages of docs/reference: one for each group, written by `python docs/write_reference.py`."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator

import yaml

from initlab.runner.command import PLAIN_WIDTH
from initlab.runner.command import REGISTRY as COMMANDS
from initlab.runner.reference.entry import Entry, Option
from initlab.runner.reference.groups import Group, groups
from initlab.runner.theory import forms

INDEX = "index.md"
MADE = "Written by `python docs/write_reference.py` from the classes."
TITLE = "# Reference"
SAID = (
    "Everything that a config can name, made from the classes. `initlab help` prints the same in a "
    "terminal: `initlab help layers`, `initlab help dense`, `initlab help seed`."
)


def pages() -> dict[str, str]:
    """Return {file name: text} of all pages."""
    known = groups()
    found = {f"{group.name}.md": "\n".join(page(group)) for group in known.values()}
    return {INDEX: "\n".join(index(known)), **found}


def index(known: dict[str, Group]) -> Iterator[str]:
    """Yield the lines of the page that lists the groups."""
    yield from (
        TITLE,
        "",
        SAID,
        "",
        "| group | what it is | chosen by |",
        "| --- | --- | --- |",
    )
    for name, group in known.items():
        chosen = code_cell(group.chosen)
        yield f"| [{group.title}]({name}.md) | {cell(group.about)} | {chosen} |"
    yield from ("", MADE, "")


def page(group: Group) -> Iterator[str]:
    """Yield the lines of a group's page."""
    entries = group.entries()
    default = f" The default is {', '.join(map(code, group.default))}." if group.default else ""
    chosen = f" Chosen by {code(group.chosen)}." if group.chosen else ""
    about = group.about[:1].upper() + group.about[1:]
    yield from (f"# {group.title}", "", f"{markdown(about)}.{chosen}{default}", "")
    yield from ("| name | what it is |", "| --- | --- |")
    for name, entry in entries.items():
        yield f"| [{code(name)}](#{anchor(name)}) | {cell(entry.summary)} |"
    yield ""
    for entry in entries.values():
        yield from section(entry)


def section(entry: Entry) -> Iterator[str]:
    """Yield the lines about one entry."""
    yield from (f"## {entry.name}", "")
    if entry.group == "commands":
        usage = f"initlab {entry.name} {COMMANDS.get(entry.name).usage}".rstrip()
        yield from ("```text", usage, "```", "")
    for paragraph in entry.text:
        if "\n" in paragraph or paragraph.startswith(" "):
            yield from ("```text", *paragraph.split("\n"), "```", "")
        else:
            yield from (markdown(paragraph), "")
    if entry.formula:
        yield from (f"**Formula:** {code(entry.formula)}", "")
    if entry.source:
        yield from (f"**Source:** {markdown(entry.source)}", "")
    if entry.options:
        yield from table(entry.options)
    if entry.group == "commands":
        yield from arguments(entry.name)
    if entry.notes:
        yield from ("The same kind under other names:", "")
        yield from (f"- {markdown(note)}" for note in entry.notes)
        yield ""
    if entry.example:
        yield from example(entry)


def table(options: tuple[Option, ...]) -> Iterator[str]:
    """Yield the table of options."""
    yield from ("| option | values | default | what it does |", "| --- | --- | --- | --- |")
    for option in options:
        default = "must be given" if option.default is None else code_cell(option.default)
        values = cell(option.values or "any value")
        yield f"| {code_cell(option.name)} | {values} | {default} | {cell(option.about)} |"
    yield ""


def arguments(command: str) -> Iterator[str]:
    """Yield the table of a command's arguments."""
    yield from ("| argument | what it does |", "| --- | --- |")
    for action in COMMANDS.get(command)().parser(PLAIN_WIDTH)._actions:
        if action.help not in (None, argparse.SUPPRESS) and action.dest != "help":
            takes_value = action.nargs != 0
            metavar = action.metavar if isinstance(action.metavar, str) else action.dest.upper()
            names = ", ".join(action.option_strings) or metavar
            value = f" {metavar}" if action.option_strings and takes_value else ""
            yield f"| {code_cell(names + value)} | {cell(str(action.help))} |"
    yield ""


def example(entry: Entry) -> Iterator[str]:
    """Yield the example; that of a closed form with its value."""
    language = "sh" if entry.example.startswith("initlab") else "yaml"
    yield from (f"```{language}", *entry.example.split("\n"), "```", "")
    if entry.group == "forms":
        given = yaml.safe_load(entry.example)
        yield from (f"It is {forms.evaluate(given.pop('form'), given):.6g}.", "")


def anchor(name: str) -> str:
    """Return the anchor of a heading."""
    return re.sub(r"[^\w-]", "", name.lower())


def code(text: str) -> str:
    """Return a text as code."""
    return f"`{text}`" if text else ""


def code_cell(text: str) -> str:
    """Return a text as code for a cell of a table."""
    return code(text).replace("|", "\\|")


def markdown(text: str) -> str:
    """Return a text for Markdown: what is between backticks stays code, all else is no markup."""
    parts = re.split(r"(`[^`]*`)", text)
    return "".join(
        part if part.startswith("`") else re.sub(r"([*_<\[\]])", r"\\\1", part) for part in parts
    )


def cell(text: str) -> str:
    """Return a text for a cell of a table."""
    return markdown(text).replace("|", "\\|").replace("\n", " ")
