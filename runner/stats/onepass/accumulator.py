"""Accumulator: takes the blocks of a tensor and returns their summary.

The figures of a block depend on its elements alone. They are kept, 64 bytes for each block, until
all blocks are there. They are then combined with exact rounding, so the result depends neither on
the order of the blocks nor on threads.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from initlab.engine import dtypes, streams
from initlab.runner.stats.onepass import bins, compiled, kernels
from initlab.runner.stats.onepass.lanes import BLOCK
from initlab.runner.stats.onepass.record import RECORD, Measured
from initlab.runner.stats.onepass.summary import Summary

THREADED_FROM = 1 << 20
"""Elements from which several threads summarize a tensor."""
TOGETHER = 8
"""Blocks processed in one call, during which a thread does not need the interpreter."""
Check = Callable[[np.ndarray, int], int | None]
"""(elements, index of the first one) -> number of elements that are not as declared, or None:
`Law.wrong_in` for a shape.
"""


class Accumulator:
    """Statistics of a tensor whose blocks of `BLOCK` elements come in any order, from any thread.

    `implementation` is a name of `streams.implementation`, by default the one that draws. The figures
    do not depend on it.
    """

    def __init__(
        self,
        dtype: object,
        size: int,
        wrong: Check | None = None,
        implementation: str | None = None,
    ) -> None:
        self._dtype = dtypes.resolve(dtype)
        self._size = size
        self._wrong = wrong
        core = streams.core(implementation)
        self._measure = kernels.measure if core == "numpy" else compiled.measurer(core)
        self._blocks = np.zeros(-(-size // BLOCK), RECORD)
        self._seen = np.zeros(self._blocks.size, bool)
        self._histogram = np.zeros(bins.BINS, np.int64)
        self._zeros = 0
        self._differing: int | None = None
        self._lock = threading.Lock()

    def add(self, number: int, values: np.ndarray) -> None:
        """Add block `number` and possibly following ones: flat elements from number * BLOCK on.

        They end at the end of a block or of the tensor. Raises ValueError if they do not fit the
        tensor or a block was added before.
        """
        count = max(1, -(-values.size // BLOCK))
        if not 0 <= number < self._blocks.size:
            raise ValueError(
                f"block {number} is none of the {self._blocks.size} blocks of {self._size} elements"
            )
        expected = min(count * BLOCK, self._size - number * BLOCK)
        if values.shape != (expected,) or values.dtype != self._dtype:
            raise ValueError(
                f"block {number} must be {self._dtype.name} of shape ({expected},), got {values.dtype} "
                f"{values.shape}"
            )
        measured = self._measure(bins.as_floats(values))
        differing = None if self._wrong is None else self._wrong(values, number * BLOCK)
        with self._lock:
            if self._seen[number : number + count].any():
                raise ValueError(
                    f"block {number + int(np.argmax(self._seen[number : number + count]))} was added before"
                )
            self._seen[number : number + count] = True
            self._blocks[number : number + count] = measured.records
            self._histogram += measured.histogram
            self._zeros += measured.zeros
            if differing is not None:
                self._differing = (self._differing or 0) + differing

    def result(self) -> Summary:
        """Return the summary of all blocks. Raises ValueError if one is missing."""
        if not self._seen.all():
            raise ValueError(
                f"block {int(np.argmin(self._seen))} of {self._seen.size} has not been added"
            )
        measured = Measured(self._histogram, self._blocks, self._zeros)
        return summed(self._dtype, self._size, measured, self._differing)


def summed(dtype: np.dtype, size: int, measured: Measured, differing: int | None = None) -> Summary:
    """Return the summary of a tensor from what was kept of all its blocks.

    `differing` is the number of elements that are not as declared, None if none are declared.
    """
    held = measured.records[measured.records["finite"] > 0]
    low, high = (float(held["low"].min()), float(held["high"].max())) if held.size else (None, None)
    exponent, moments = combine(held) if held.size else (0, None)
    # If all elements are equal, rounding may have changed their mean.
    if moments is not None and low is not None and low == high:
        moments = (math.ldexp(low, -exponent), 0.0, 0.0, 0.0)
    filled = tuple(
        (int(place), int(measured.histogram[place])) for place in np.flatnonzero(measured.histogram)
    )
    return Summary(
        dtype.name, size, measured.zeros, low, high, exponent, moments, filled, differing
    )


def combine(blocks: np.ndarray) -> tuple[int, tuple[float, float, float, float]]:
    """Return (exponent, mean and central moments in units of 2^exponent) of non-empty blocks.

    The sums of each block are shifted from its own mean to the common mean: Pébay, "Formulas for
    robust, one-pass parallel computation of covariances and arbitrary-order statistical moments",
    2008.
    """
    farthest = np.maximum(-blocks["low"], blocks["high"])
    exponent = (
        int(blocks["exponent"][farthest > 0].max(initial=np.iinfo(np.int64).min))
        if farthest.any()
        else 0
    )
    shift = blocks["exponent"] - exponent
    total, m2, m3, m4 = (
        np.ldexp(blocks[name], power * shift)
        for power, name in enumerate(("sum", "m2", "m3", "m4"), 1)
    )
    size = blocks["finite"].astype(np.float64)
    count = math.fsum(size)
    mean = math.fsum(total) / count
    d = total / size - mean
    d2 = d * d
    second = math.fsum(np.concatenate([m2, size * d2]))
    third = math.fsum(np.concatenate([m3, 3 * d * m2, size * d2 * d]))
    fourth = math.fsum(np.concatenate([m4, 4 * d * m3, 6 * d2 * m2, size * d2 * d2]))
    return exponent, (mean + 0.0, second / count, third / count, fourth / count)


def summarize(
    values: np.ndarray,
    threads: int | None = None,
    wrong: Check | None = None,
    implementation: str | None = None,
) -> Summary:
    """Return the summary of a whole tensor, in memory or mapped from a file.

    `threads` is by default the number of threads that draw. The result does not depend on it.
    """
    flat = values.reshape(-1)
    accumulator = Accumulator(flat.dtype, flat.size, wrong, implementation)

    def add(numbers: range) -> None:
        for number in numbers:
            accumulator.add(
                number * TOGETHER, flat[number * TOGETHER * BLOCK : (number + 1) * TOGETHER * BLOCK]
            )

    count = -(-flat.size // (BLOCK * TOGETHER))
    workers = (
        min(count, streams.threads() if threads is None else threads)
        if flat.size >= THREADED_FROM
        else 1
    )
    if workers <= 1:
        add(range(count))
        return accumulator.result()
    with ThreadPoolExecutor(workers) as pool:
        for future in [pool.submit(add, range(first, count, workers)) for first in range(workers)]:
            future.result()
    return accumulator.result()
