"""Tests of whether values in our files have the form in which they are written.

A damaged file is then refused where it is read, in one line, not by whoever uses a value.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from initlab.runner.json_values import number

Sound = Callable[[Any], bool]
"""Returns whether a value has the form in which it was written."""


def is_text(value: object) -> bool:
    """Return whether this is a text."""
    return isinstance(value, str)


def is_truth(value: object) -> bool:
    """Return whether this is true or false."""
    return isinstance(value, bool)


def is_whole(value: object) -> bool:
    """Return whether this is a whole number."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_number(value: object) -> bool:
    """Return whether this is a number that a float can hold, NaN and infinities included."""
    return number(value) is not None and not isinstance(value, str)


def is_figure(value: object) -> bool:
    """Return whether this is a measured figure: a number, `nan`, `inf`, `-inf`, or null."""
    return value is None or number(value) is not None


def is_spread(value: object) -> bool:
    """Return whether this is a figure that is not negative."""
    found = number(value)
    return value is None or (found is not None and not found < 0)


def is_single(value: object) -> bool:
    """Return whether this is a figure, a text, true or false."""
    return isinstance(value, (bool, str)) or is_figure(value)


def is_mapping(value: object) -> bool:
    """Return whether this is a mapping."""
    return isinstance(value, dict)


def is_digest(value: object) -> bool:
    """Return whether this is 32 bytes in hex."""
    return isinstance(value, str) and re.fullmatch("[0-9a-f]{64}", value) is not None


def is_shape(value: object) -> bool:
    """Return whether this is a list of whole numbers that are not negative."""
    return isinstance(value, list) and all(is_whole(size) and size >= 0 for size in value)


def is_histogram(value: object) -> bool:
    """Return whether this is null or a list of bars: low edge, high edge, count."""
    return value is None or (
        isinstance(value, list)
        and all(
            isinstance(bar, list) and len(bar) == 3 and all(map(_is_edge, bar)) for bar in value
        )
    )


def _is_edge(value: object) -> bool:
    return value is not None and is_figure(value)


def or_none(sound: Sound) -> Sound:
    """Return the test that null passes as well."""
    return lambda value: value is None or sound(value)


def mapping_of(sound: Sound) -> Sound:
    """Return the test of a mapping whose values all pass a test."""
    return lambda value: isinstance(value, dict) and all(map(sound, value.values()))


def list_of(sound: Sound) -> Sound:
    """Return the test of a list whose elements all pass a test."""
    return lambda value: isinstance(value, list) and all(map(sound, value))
