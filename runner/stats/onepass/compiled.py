"""The kernels with numba. Importing this module imports numba.

Results are equal to those of `runner.stats.onepass.kernels` to the bit. `fastmath` is off:
additions keep their order, and a product and a sum are rounded separately.
"""

from __future__ import annotations

import numba
import numpy as np

from initlab.runner.stats.onepass.bins import BINS
from initlab.runner.stats.onepass.lanes import BLOCK, LANES, Moments


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
    return lanes[0] + 0.0  # type: ignore[no-any-return]


@numba.njit(nogil=True, cache=True)
def _total(values: np.ndarray, lanes: np.ndarray) -> float:
    lanes[:] = 0.0
    for start in range(0, values.size, LANES):
        row = values[start : start + LANES]
        for lane in range(row.size):
            lanes[lane] += np.float64(row[lane])
    return _fold(lanes)


@numba.njit(nogil=True, cache=True)
def _central(
    values: np.ndarray, mean: float, second: np.ndarray, third: np.ndarray, fourth: np.ndarray
) -> tuple[float, float, float]:
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
    """Return int64[4096]: the counts of `bits >> shift`."""
    counts = np.zeros(BINS, np.int64)
    _count(bits, bits.dtype.type(shift), counts)
    return counts


def moments(values: np.ndarray) -> Moments:
    """Return the sum and the three central sums of a block's values."""
    total = _total(values, np.empty(LANES))
    return total, *_central(
        values, total / values.size, np.empty(LANES), np.empty(LANES), np.empty(LANES)
    )


@numba.njit(nogil=True, cache=True)
def _blocks(bits, floats, shift, counts, records, low, high, lanes):  # type: ignore[no-untyped-def]
    _count(bits, shift, counts)
    for number in range(records.shape[0]):
        values = floats[number * BLOCK : (number + 1) * BLOCK]
        low[:] = values[0]
        high[:] = values[0]
        for start in range(0, values.size, LANES):
            row = values[start : start + LANES]
            for lane in range(row.size):
                low[lane] = row[lane] if row[lane] < low[lane] else low[lane]
                high[lane] = row[lane] if row[lane] > high[lane] else high[lane]
        total = _total(values, lanes[0])
        second, third, fourth = _central(values, total / values.size, lanes[0], lanes[1], lanes[2])
        record = records[number]
        record[0], record[1], record[2], record[3], record[4], record[5] = (
            low.min(),
            high.max(),
            total,
            second,
            third,
            fourth,
        )


def blocks(bits: np.ndarray, floats: np.ndarray, shift: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the histogram of several blocks, and a row (minimum, maximum, moments) for each.

    The rows are meaningful only if all values are finite and, for float64, need no scaling.
    """
    counts, records = np.zeros(BINS, np.int64), np.empty((-(-floats.size // BLOCK), 6))
    low, high = np.empty(LANES, floats.dtype), np.empty(LANES, floats.dtype)
    _blocks(bits, floats, bits.dtype.type(shift), counts, records, low, high, np.empty((3, LANES)))
    return counts, records
