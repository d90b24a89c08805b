"""What is kept of a block's elements, in NumPy: the reference for `compiled` and
`cuda`.

All add in the order of `lanes`, so all give the same bits on any processor.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable

import numpy as np

from initlab.runner.stats.onepass import bins
from initlab.runner.stats.onepass.lanes import BLOCK, LANES, Moments
from initlab.runner.stats.onepass.record import LARGEST_EXPONENT, RECORD, Measured


class _Scratch(threading.local):
    """The working memory of a thread."""

    def __init__(self) -> None:
        self.distances = np.empty(BLOCK)
        self.powers = np.empty(BLOCK)


_scratch = _Scratch()


def histogram(bits: np.ndarray, shift: int) -> np.ndarray:
    """Return int64[4096]: the counts of `bits >> shift`."""
    return np.bincount((bits >> bits.dtype.type(shift)).astype(np.intp), minlength=bins.BINS)


def moments(values: np.ndarray) -> Moments:
    """Return the sum and the three central sums of 1 to BLOCK finite float32 or float64 values."""
    size = -(-values.size // LANES) * LANES
    x, power = _scratch.distances[:size], _scratch.powers[:size]
    x[: values.size] = values
    x[values.size :] = 0.0
    total = _sum(x)
    np.subtract(x, total / values.size, out=x)
    x[values.size :] = 0.0
    second = _sum(np.multiply(x, x, out=power))
    fourth = _sum(np.multiply(power, power, out=power))
    third = _sum(np.multiply(np.multiply(x, x, out=power), x, out=power))
    return total, second, third, fourth


def _sum(terms: np.ndarray) -> float:
    """Return the sum in lanes. `+ 0.0` makes a negative zero positive."""
    lanes = np.add.reduce(terms.reshape(-1, LANES), axis=0)
    width = LANES
    while width > 1:
        width //= 2
        lanes = lanes[:width] + lanes[width : 2 * width]
    return float(lanes[0]) + 0.0


def record(floats: np.ndarray) -> tuple[float, ...]:
    """Return the fields of the RECORD of a block, of any float values."""
    if floats.itemsize == 2:
        with np.errstate(invalid="ignore"):  # a signalling NaN
            floats = floats.astype(np.float32)
    finite = np.isfinite(floats)
    if not finite.all():
        floats = floats[finite]
    if not floats.size:
        return (0,) * len(RECORD.names or ())
    low, high = float(floats.min()) + 0.0, float(floats.max()) + 0.0
    exponent = 0
    if floats.dtype == np.float64:
        _, exponent = math.frexp(max(-low, high))
        if abs(exponent) <= LARGEST_EXPONENT:
            exponent = 0
        else:
            floats = np.ldexp(floats, -exponent)
    return floats.size, exponent, low, high, *moments(floats)


def complete(
    records: np.ndarray, size: int, dtype: np.dtype, elements: Callable[[slice], np.ndarray]
) -> None:
    """Replace the records of the blocks that the C code cannot measure: those with infinite or NaN
    elements, and those of float64 that must be scaled.

    The records are those of `size` elements of a float dtype, of which `elements(slice)` gives some.
    """
    finite = records["finite"]
    if finite.sum() == size and dtype != np.float64:
        return
    sizes = np.full(records.size, BLOCK)
    sizes[-1] = size - (records.size - 1) * BLOCK
    _, exponents = np.frexp(np.maximum(-records["low"], records["high"]))
    extreme = (dtype == np.float64) & (np.abs(exponents) > LARGEST_EXPONENT)
    for number in np.flatnonzero((finite != sizes) | extreme).tolist():
        records[number] = record(elements(slice(number * BLOCK, (number + 1) * BLOCK)))


def measure(floats: np.ndarray) -> Measured:
    """Return what is kept of one or more blocks."""
    bits, shift = bins.as_bits(floats), bins.shift_of(floats.dtype)
    counts, records = np.zeros(bins.BINS, np.int64), np.zeros(-(-floats.size // BLOCK), RECORD)
    for number in range(records.size):
        span = slice(number * BLOCK, (number + 1) * BLOCK)
        counts += histogram(bits[span], shift)
        records[number] = record(floats[span])
    if not (counts[0] or counts[bins.NEGATIVE]):
        return Measured(counts, records, 0)
    with np.errstate(invalid="ignore"):  # a signalling NaN
        return Measured(counts, records, int(np.count_nonzero(floats == 0)))
