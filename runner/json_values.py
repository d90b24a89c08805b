"""The values of JSON and YAML: their type, and numbers among them.

JSON has no number for NaN and the infinities, so they are written as the texts `nan`, `inf` and
`-inf`. `runner.files.in_json` writes them; every reader of figures uses the functions here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TypeAlias, TypeVar, Union

JSON: TypeAlias = Union[None, bool, int, float, str, Sequence["JSON"], Mapping[str, "JSON"]]
"""A document of JSON or YAML, or a part of one."""
NOT_FINITE = ("nan", "inf", "-inf")

T = TypeVar("T")


def restored(value: T) -> T | float:
    """Return NaN or an infinity as a float, and any other value as it is."""
    return float(value) if isinstance(value, str) and value in NOT_FINITE else value


def number(value: object) -> float | None:
    """Return a figure as a number, NaN and infinity included, or None if it is no number that a
    float can hold.
    """
    value = restored(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        return float(value)
    except OverflowError:
        return None


def finite(value: object) -> float | None:
    """Return a figure as a number, or None if it is missing, NaN, infinite, or no number."""
    found = number(value)
    return found if found is not None and math.isfinite(found) else None


def mapping(value: JSON) -> Mapping[str, JSON]:
    """Return a mapping as it is, and an empty one in place of anything else."""
    return value if isinstance(value, Mapping) else {}


def equal(a: object, b: object) -> bool:
    """Return whether two documents are equal. `true` is not 1, and 1 is 1.0."""
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        return a.keys() == b.keys() and all(equal(a[key], b[key]) for key in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(equal, a, b))
    return a == b
