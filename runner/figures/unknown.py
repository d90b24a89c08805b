"""Placeholders in a sketch of a run's statistics for values that only the run will give.

A sketch has the form of `stats.json`, and paths are looked up in both in the same way, so a wrong
name, or a text where a number is needed, is found before the run.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any


class Always(float):
    """A number that no row lacks, so that numbers of several rows can be counted."""


NUMBER = math.nan
"""A number, or null in some rows."""
MEASURED = Always("nan")
"""A number in every row."""


class Anything:
    """An unknown value: a number, a text, rows, or a mapping."""


ANYTHING = Anything()


@dataclass(frozen=True)
class NoNumber:
    """An unknown value that is no number; it shows itself as what it is."""

    what: str

    def __repr__(self) -> str:
        return self.what


TEXT = NoNumber("a text")
YES_OR_NO = NoNumber("true or false")


class Open(dict[str, Any]):
    """A mapping that may have other keys besides these."""


@dataclass(frozen=True)
class Rows:
    """Rows of unknown number; each is like `row`. Those that are `numbered` have no names."""

    row: object = ANYTHING
    numbered: bool = False
