"""What a closed form says of arguments outside its domain: an `OptionError` that names the
argument.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from initlab.engine.errors import OptionError
from initlab.engine.registry import advice


def positive(name: str, value: float) -> float:
    """The value. OptionError unless it is a finite number above 0."""
    if not (value > 0 and math.isfinite(value)):
        raise OptionError(name, f"must be a number above 0, got {value!r}")
    return value


def at_least_zero(name: str, value: float) -> float:
    """The value. OptionError unless it is a finite number of at least 0."""
    if not (value >= 0 and math.isfinite(value)):
        raise OptionError(name, f"must be a number of at least 0, got {value!r}")
    return value


def between(name: str, value: float, low: float, high: float) -> float:
    """The value. OptionError unless it lies between the two, ends included."""
    if not low <= value <= high:
        raise OptionError(name, f"must lie between {low:g} and {high:g}, got {value!r}")
    return value


def count(name: str, value: int, least: int = 1) -> int:
    """The value. OptionError unless it is a whole number of at least `least`."""
    if value != int(value) or value < least:
        raise OptionError(name, f"must be a whole number of at least {least}, got {value!r}")
    return int(value)


def one_of(name: str, value: str, known: Iterable[str]) -> str:
    """The value. OptionError unless it is among the known."""
    names = list(known)
    if value not in names:
        raise OptionError(name, f"has no '{value}' - {advice(str(value), names)}")
    return value
