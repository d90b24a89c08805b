"""What is kept of blocks, by a core of `engine.native`, with the bits of `kernels`.

Blocks with infinite or NaN elements, and blocks of float64 that must be scaled, are left to
`kernels`.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from initlab.engine import native
from initlab.runner.stats.onepass import bins, kernels
from initlab.runner.stats.onepass.lanes import BLOCK
from initlab.runner.stats.onepass.record import LARGEST_EXPONENT, RECORD, Measure, Measured

TYPES = {"float16": 1, "bfloat16": 2, "float32": 3, "float64": 4}
"""The numbers of the types in engine/native/statistics.h."""


def measurer(name: str) -> Measure:
    """Return the function that measures with a core, one of `native.cores()`. It gives up the
    interpreter's lock meanwhile.
    """
    core = native.core(name)

    def measure(floats: np.ndarray) -> Measured:
        counts, records = np.empty(bins.BINS, np.int64), np.empty(-(-floats.size // BLOCK), RECORD)
        zeros = core.measure(
            floats.ctypes.data,
            floats.size,
            TYPES[floats.dtype.name],
            counts.ctypes.data,
            records.ctypes.data,
        )
        for number in _left_over(records, floats):
            records[number] = kernels.record(floats[number * BLOCK : (number + 1) * BLOCK])
        return Measured(counts, records, zeros)

    return measure


def _left_over(records: np.ndarray, floats: np.ndarray) -> Iterable[int]:
    """Return the numbers of the blocks that the C code cannot measure."""
    finite = records["finite"]
    if finite.sum() == floats.size and floats.dtype != np.float64:
        return ()
    sizes = np.full(records.size, BLOCK)
    sizes[-1] = floats.size - (records.size - 1) * BLOCK
    _, exponents = np.frexp(np.maximum(-records["low"], records["high"]))
    extreme = (floats.dtype == np.float64) & (np.abs(exponents) > LARGEST_EXPONENT)
    return np.flatnonzero((finite != sizes) | extreme).tolist()
