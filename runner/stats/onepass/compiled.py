"""What is kept of blocks, by a core of `engine.native`, with the bits of `kernels`.

Blocks with infinite or NaN elements, and blocks of float64 that must be scaled, are left to
`kernels`.
"""

from __future__ import annotations

import numpy as np

from initlab.engine import native
from initlab.runner.stats.onepass import bins, kernels
from initlab.runner.stats.onepass.lanes import BLOCK
from initlab.runner.stats.onepass.record import RECORD, Measure, Measured

TYPES = {"float16": 1, "bfloat16": 2, "float32": 3, "float64": 4}
"""The numbers of the types in engine/native/block.h."""


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
        kernels.complete(records, floats.size, floats.dtype, lambda block: floats[block])
        return Measured(counts, records, zeros)

    return measure
