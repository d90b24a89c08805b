"""What a dtype can hold: the largest number, the smallest normal and the smallest positive one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from initlab.engine import dtypes


@dataclass(frozen=True)
class Range:
    """The positive numbers of a dtype; between `tiny` and `smallest` they lose digits. `step` is from 1
    to the next.
    """

    largest: float
    tiny: float
    smallest: float
    step: float


@cache
def range_of(dtype: str) -> Range:
    """Return the range of a floating dtype by name, bfloat16 included."""
    if dtype == "bfloat16":
        return Range((2 - 2.0**-7) * 2.0**127, 2.0**-126, 2.0**-133, 2.0**-7)
    import numpy as np

    found = np.finfo(dtypes.resolve(dtype))
    return Range(
        float(found.max), float(found.tiny), float(found.smallest_subnormal), float(found.eps)
    )
