"""What is kept of one or more blocks; every implementation returns it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

RECORD = np.dtype(
    [
        ("finite", "i8"),
        ("exponent", "i8"),
        ("low", "f8"),
        ("high", "f8"),
        *((name, "f8") for name in ("sum", "m2", "m3", "m4")),
    ]
)
"""The record of a block. Sums are in units of 2^exponent and its powers. `struct record` in
engine/native/block.h has the same fields.
"""
LARGEST_EXPONENT = 100
"""A float64 block whose largest magnitude is beyond 2^100 or within 2^-100 is scaled by a power of
two before anything is added.
"""


class Measured(NamedTuple):
    """`histogram` is int64[4096]; `records` has one RECORD for each block."""

    histogram: np.ndarray
    records: np.ndarray
    zeros: int


Measure = Callable[[np.ndarray], Measured]
"""(one or more elements of a float dtype of `bins`, flat and contiguous) -> what is kept of them."""
