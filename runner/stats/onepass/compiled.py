"""The kernels through numba. Importing this imports numba; the results are those of `runner.stats.onepass.kernels`, to the bit.

No `fastmath`: additions keep their order, and a product and a sum are rounded one after the other.
"""

from __future__ import annotations

import numba
import numpy as np

from runner.stats.onepass.bins import BINS
from runner.stats.onepass.kernels import LANES, Moments


@numba.njit(nogil=True, cache=True)
def _count(bits: np.ndarray, shift: np.unsignedinteger, counts: np.ndarray) -> None:
    for i in range(bits.size):
        counts[bits[i] >> shift] += 1


@numba.njit(nogil=True, cache=True, inline="always")
def _fold(lanes: np.ndarray) -> float:
    width = LANES
    while width > 1:
        width //= 2
        for lane in range(width):
            lanes[lane] += lanes[lane + width]
    return lanes[0] + 0.0


@numba.njit(nogil=True, cache=True)
def _total(values: np.ndarray, lanes: np.ndarray) -> float:
    lanes[:] = 0.0
    for start in range(0, values.size, LANES):
        row = values[start : start + LANES]
        for lane in range(row.size):
            lanes[lane] += np.float64(row[lane])
    return _fold(lanes)


@numba.njit(nogil=True, cache=True)
def _central(values: np.ndarray, mean: float, second: np.ndarray, third: np.ndarray, fourth: np.ndarray) -> tuple[float, float, float]:
    second[:] = 0.0
    third[:] = 0.0
    fourth[:] = 0.0
    for start in range(0, values.size, LANES):
        row = values[start : start + LANES]
        for lane in range(row.size):
            distance = np.float64(row[lane]) - mean
            square = distance * distance
            second[lane] += square
            third[lane] += square * distance
            fourth[lane] += square * square
    return _fold(second), _fold(third), _fold(fourth)


def histogram(bits: np.ndarray, shift: int) -> np.ndarray:
    """How many of the unsigned integers have each value above their `shift` low bits."""
    counts = np.zeros(BINS, np.int64)
    _count(bits, bits.dtype.type(shift), counts)
    return counts


def moments(values: np.ndarray) -> Moments:
    """The sum and the three central sums of a block's values."""
    total = _total(values, np.empty(LANES))
    return total, *_central(values, total / values.size, np.empty(LANES), np.empty(LANES), np.empty(LANES))
