"""The experiment files that declare claims."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from initlab.runner.config.compose import read_option
from initlab.runner.config.option_files import conf_dir
from initlab.runner.errors import Problems

GROUP = "experiment"
HEADER = "# @package _global_"


@dataclass(frozen=True)
class Experiment:
    """A file with claims: its name, its opening comment, and controls: words that must make a claim
    fail.
    """

    name: str
    comment: tuple[str, ...]
    control: tuple[str, ...]

    @property
    def question(self) -> str:
        """The first sentences of its comment: the question and the answer, in one line."""
        opening = " ".join("\n".join(self.comment).partition("\n\n")[0].split())
        found = re.match(r".+?\?(?: .+?[.?](?= |$))?", opening)
        return found[0] if found else opening or self.name

    @property
    def text(self) -> str:
        """The comment without the command in it."""
        return "\n".join(line for line in self.comment if not line.startswith("    "))


def experiments() -> dict[str, Experiment]:
    """Return all experiments by name."""
    found = {}
    for path in sorted((conf_dir() / GROUP).glob("*.yaml")):
        if claims_in(path):
            control = read_option(path).get("control")
            words = tuple(map(str, control)) if isinstance(control, list) else ()
            found[path.stem] = Experiment(path.stem, _comment(path), words)
    return found


def claims_in(path: Path) -> bool:
    """Return whether a YAML file has claims. A file that cannot be read has none; using it is an
    error.
    """
    try:
        return bool(read_option(path).get("expect"))
    except (OSError, ValueError):
        return False


def _comment(path: Path) -> tuple[str, ...]:
    lines = path.read_text(encoding="utf-8").splitlines()
    lines = lines[1:] if lines and lines[0] == HEADER else lines
    count = next(
        (number for number, line in enumerate(lines) if not line.startswith("#")), len(lines)
    )
    return tuple(line.removeprefix("#").removeprefix(" ") for line in lines[:count])


def named(names: Sequence[str]) -> list[Experiment]:
    """Return the experiments of these names, or all if there are none.

    Raises ConfigError with every unknown name.
    """
    known = experiments()
    problems = Problems()
    for name in names:
        if name not in known:
            problems.unknown(GROUP, f"no experiment '{name}' with claims", name, known)
    problems.raise_any()
    return [known[name] for name in names] if names else list(known.values())
