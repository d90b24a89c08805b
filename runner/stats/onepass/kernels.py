"""The functions applied to each block's elements in NumPy, and the choice between NumPy and numba.

Both add in the order of `lanes`, so both give the same bits on any processor.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from initlab.runner.stats.onepass.bins import BINS
from initlab.runner.stats.onepass.lanes import BLOCK, LANES, Moments

IMPLEMENTATIONS = ("numpy",)


class Kernels(NamedTuple):
    """An implementation of the functions of a block.

    `histogram(bits, shift)` returns int64[4096], the counts of bits >> shift. `moments(values)`
    takes 1 to BLOCK finite float32 or float64 values. `blocks(bits, floats, shift)`, if not None,
    does both for several blocks in one call (see `compiled.blocks`).
    """

    name: str
    histogram: Callable[[np.ndarray, int], np.ndarray]
    moments: Callable[[np.ndarray], Moments]
    blocks: Callable[[np.ndarray, np.ndarray, int], tuple[np.ndarray, np.ndarray]] | None = None


class _Scratch(threading.local):
    """The working memory of a thread."""

    def __init__(self) -> None:
        self.distances = np.empty(BLOCK)
        self.powers = np.empty(BLOCK)


_scratch = _Scratch()


def histogram(bits: np.ndarray, shift: int) -> np.ndarray:
    """Return int64[4096]: the counts of `bits >> shift`."""
    return np.bincount((bits >> bits.dtype.type(shift)).astype(np.intp), minlength=BINS)


def moments(values: np.ndarray) -> Moments:
    """Return the sum and the three central sums of a block's values."""
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


NUMPY = Kernels("numpy", histogram, moments)


def choose(implementation: str | None, size: int) -> Kernels:
    """Return the kernels for a tensor of `size` elements.

    The figures do not depend on it. Raises ValueError for an unknown implementation.
    """
    if implementation is not None and implementation not in IMPLEMENTATIONS:
        raise ValueError(
            f"implementation must be one of {', '.join(IMPLEMENTATIONS)}, got {implementation!r}"
        )
    return NUMPY
