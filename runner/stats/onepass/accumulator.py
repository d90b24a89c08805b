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
from initlab.runner.stats.onepass import bins, kernels
from initlab.runner.stats.onepass.lanes import BLOCK
from initlab.runner.stats.onepass.summary import Summary

THREADED_FROM = 1 << 20
"""Elements from which several threads summarize a tensor."""
TOGETHER = 4
"""Blocks processed in one call, during which a thread does not need the interpreter.
"""
LARGEST_EXPONENT = 100
"""A float64 block whose largest magnitude is beyond 2^100 or within 2^-100 is scaled by a power of
two before anything is added.
"""

Check = Callable[[np.ndarray, int], int | None]
"""(elements, index of the first one) -> number of elements that are not as declared, or None:
`Law.wrong_in` for a shape.
"""

RECORD = np.dtype(
    [
        ("finite", "i8"),
        ("exponent", "i8"),
        ("low", "f8"),
        ("high", "f8"),
        *((name, "f8") for name in ("sum", "m2", "m3", "m4")),
    ]
)
"""The record of a block. Sums are in units of 2^exponent and its powers."""


class Accumulator:
    """Statistics of a tensor whose blocks of `BLOCK` elements come in any order, from any thread."""

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
        self._kernels = kernels.choose(implementation, size)
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
        floats = bins.as_floats(values)
        histogram, records = self._looked_at(floats)
        zeros = (
            int(np.count_nonzero(floats == 0)) if histogram[0] or histogram[bins.NEGATIVE] else 0
        )
        differing = None if self._wrong is None else self._wrong(values, number * BLOCK)
        with self._lock:
            if self._seen[number : number + count].any():
                raise ValueError(
                    f"block {number + int(np.argmax(self._seen[number : number + count]))} was added before"
                )
            self._seen[number : number + count] = True
            self._blocks[number : number + count] = records
            self._histogram += histogram
            self._zeros += zeros
            if differing is not None:
                self._differing = (self._differing or 0) + differing

    def _looked_at(self, floats: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the histogram of one or more blocks, and a record for each."""
        bits, shift = bins.as_bits(floats), bins.shift_of(floats.dtype)
        if self._kernels.blocks is not None and floats.itemsize > 2 and floats.size:
            histogram, rows = self._kernels.blocks(bits, floats, shift)
            if not bins.nonfinite(histogram, floats.dtype) and (
                floats.itemsize == 4 or not _extreme(rows)
            ):
                return histogram, _records(rows, floats.size)
        histogram, records = (
            np.zeros(bins.BINS, np.int64),
            np.zeros(max(1, -(-floats.size // BLOCK)), RECORD),
        )
        for number in range(records.size):
            span = slice(number * BLOCK, (number + 1) * BLOCK)
            counted = self._kernels.histogram(bits[span], shift)
            histogram += counted
            records[number] = self._figures(floats[span], counted)
        return histogram, records

    def _figures(self, floats: np.ndarray, histogram: np.ndarray) -> tuple[float, ...]:
        """Return the record of a block."""
        if bins.nonfinite(histogram, floats.dtype):
            floats = floats[np.isfinite(floats)]
        if floats.itemsize == 2:
            floats = floats.astype(np.float32)
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
        return floats.size, exponent, low, high, *self._kernels.moments(floats)

    def result(self) -> Summary:
        """Return the summary of all blocks. Raises ValueError if one is missing."""
        if not self._seen.all():
            raise ValueError(
                f"block {int(np.argmin(self._seen))} of {self._seen.size} has not been added"
            )
        held = self._blocks[self._blocks["finite"] > 0]
        low, high = (
            (float(held["low"].min()), float(held["high"].max())) if held.size else (None, None)
        )
        exponent, moments = combine(held) if held.size else (0, None)
        # If all elements are equal, rounding may have changed their mean.
        if moments is not None and low is not None and low == high:
            moments = (math.ldexp(low, -exponent), 0.0, 0.0, 0.0)
        filled = tuple(
            (int(place), int(self._histogram[place])) for place in np.flatnonzero(self._histogram)
        )
        return Summary(
            self._dtype.name,
            self._size,
            self._zeros,
            low,
            high,
            exponent,
            moments,
            filled,
            self._differing,
        )


def _extreme(rows: np.ndarray) -> bool:
    """Return whether a float64 block among these must be scaled before summing."""
    _, exponents = np.frexp(np.maximum(-rows[:, 0], rows[:, 1]))
    return bool((np.abs(exponents) > LARGEST_EXPONENT).any())


def _records(rows: np.ndarray, size: int) -> np.ndarray:
    """Return the records of blocks from the rows of `compiled.blocks`; `size` counts all finite
    elements.
    """
    records = np.zeros(len(rows), RECORD)
    records["finite"] = BLOCK
    records["finite"][-1] = size - (len(rows) - 1) * BLOCK
    for column, name in enumerate(("low", "high", "sum", "m2", "m3", "m4")):
        records[name] = rows[:, column] + 0.0
    return records


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
