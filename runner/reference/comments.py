"""What the comments of the option files say."""

from __future__ import annotations

import re

SILENT = ("@", "yaml-language-server:", "$schema:")
"""What a comment begins with that says nothing to a reader."""


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


def header(text: str) -> tuple[str, ...]:
    """Return the paragraphs of the comment that an option file begins with. One with indented lines
    keeps its lines.
    """
    lines: list[str] = []
    for line in text.splitlines():
        if not line.startswith("#"):
            break
        said = line[1:].removeprefix(" ")
        if not said.lstrip().startswith(SILENT):
            lines.append(said.rstrip())
    found = []
    for block in "\n".join(lines).strip("\n").split("\n\n"):
        kept = any(line.startswith(" ") for line in block.split("\n"))
        found.append(block if kept else " ".join(block.split()))
    return tuple(paragraph for paragraph in found if paragraph)
