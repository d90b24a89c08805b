"""The experiment files that declare claims."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from initlab.runner.config.compose import conf_dir, read_option
from initlab.runner.errors import Problems

GROUP = "experiment"
HEADER = "# @package _global_"


@dataclass(frozen=True)
class Experiment:
    """A file of claims: its name, its opening comment, and the words that must make one of its
    claims fail.
    """

    name: str
    comment: tuple[str, ...]
    control: tuple[str, ...]

    @property
    def question(self) -> str:
        """The first sentences of its comment: what it asks, and the answer."""
        return self.comment[0] if self.comment else self.name

    @property
    def text(self) -> str:
        """The comment without the command that it names."""
        return "\n".join(line for line in self.comment if not line.startswith("    "))


def experiments() -> dict[str, Experiment]:
    """All of them, by name."""
    found = {}
    for path in sorted((conf_dir() / GROUP).glob("*.yaml")):
        if claims_in(path):
            control = read_option(path).get("control") or []
            found[path.stem] = Experiment(
                path.stem, _comment(path), tuple(str(words) for words in control)
            )
    return found


def claims_in(path: Path) -> bool:
    """Whether a YAML file has claims; a file that cannot be read has none, and is refused where it
    is used.
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
    """Those of these names, all for none. ConfigError with every name that is not one."""
    known = experiments()
    problems = Problems()
    for name in names:
        if name not in known:
            problems.unknown(GROUP, f"no experiment '{name}' with claims", name, known)
    problems.raise_any()
    return [known[name] for name in names] if names else list(known.values())
