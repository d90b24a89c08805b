"""Checks of initializers' options. Each gives the value back or raises OptionError naming the
option.
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Sequence
from typing import Any

import numpy as np

from initlab.engine.errors import OptionError
from initlab.engine.registry import advice


def finite(option: str, value: Any, wanted: str = "a finite number") -> float:
    """Any number but NaN and infinities; a bool is no number. NumPy's scalars become Python's."""
    value = value.item() if isinstance(value, np.number) else value
    if isinstance(value, bool) or not isinstance(value, numbers.Real) or not math.isfinite(value):
        raise OptionError(option, f"must be {wanted}, got {value!r}")
    return value  # type: ignore[return-value]


def positive(option: str, value: Any) -> float:
    """A number above 0."""
    value = finite(option, value, "a positive number")
    if value <= 0:
        raise OptionError(option, f"must be a positive number, got {value!r}")
    return value


def not_negative(option: str, value: Any) -> float:
    """0 or a number above it."""
    value = finite(option, value, "0 or a positive number")
    if value < 0:
        raise OptionError(option, f"must be 0 or a positive number, got {value!r}")
    return value


def positive_integer(option: str, value: Any) -> int:
    """A whole number above 0."""
    value = value.item() if isinstance(value, np.integer) else value
    if isinstance(value, bool) or not isinstance(value, int) or value <= 0:
        raise OptionError(option, f"must be a positive whole number, got {value!r}")
    return value


def truth(option: str, value: Any) -> bool:
    """True or False and nothing that merely counts as such."""
    if not isinstance(value, bool):
        raise OptionError(option, f"must be true or false, got {value!r}")
    return value


def choice(option: str, value: Any, known: Sequence[str]) -> str:
    """One of the known names."""
    if not isinstance(value, str) or value not in known:
        raise OptionError(option, f"cannot be {value!r} - {advice(str(value), known)}")
    return value
