"""What stands in a sketch of a run's statistics for what only the run will tell.

A sketch has the form of the content of `stats.json`, so that a path is looked up in it as in the
real one: a name that is wrong is found before the run.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

NUMBER = math.nan
"""A number."""


class Anything:
    """A value of which nothing is known: a number, a text, rows, or a mapping."""


ANYTHING = Anything()


class Open(dict[str, Any]):
    """A mapping that may hold other keys beside these."""


@dataclass(frozen=True)
class Rows:
    """Rows whose number and names are not known; each is like `row`."""

    row: object = ANYTHING
