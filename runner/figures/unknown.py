"""Placeholders in a sketch of a run's statistics for values that only the run will give.

A sketch has the form of `stats.json`, and paths are looked up in both in the same way, so a wrong
name is found before the run.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

NUMBER = math.nan
"""A number."""


class Anything:
    """An unknown value: a number, a text, rows, or a mapping."""


ANYTHING = Anything()


class Open(dict[str, Any]):
    """A mapping that may have other keys besides these."""


@dataclass(frozen=True)
class Rows:
    """Rows of unknown number and names; each is like `row`."""

    row: object = ANYTHING
