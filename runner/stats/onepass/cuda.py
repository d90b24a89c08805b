"""What is kept of the blocks of an array on a GPU, by the kernels of `engine.native`, with the bits of
`kernels`. Only that comes to the host.

The device's own library compiles the kernels' text; the tests also compile it for the host.
"""

from __future__ import annotations

import numpy as np

from initlab.engine import native
from initlab.engine.arrays import Array
from initlab.engine.device import Device, launcher, runs_kernels, to_host
from initlab.runner.errors import RunnerError
from initlab.runner.stats.onepass import bins, kernels
from initlab.runner.stats.onepass.accumulator import summed
from initlab.runner.stats.onepass.compiled import TYPES
from initlab.runner.stats.onepass.lanes import BLOCK, LANES
from initlab.runner.stats.onepass.record import RECORD, Measured
from initlab.runner.stats.onepass.summary import Summary

GRID = 1 << 12
"""Blocks of the grid at most; each goes on to further blocks of elements. A block of the grid counts
up to 2^32 elements.
"""


def summarize(values: Array, device: Device) -> Summary | None:
    """Return the summary of a raw array of the device, in C order.

    None if the host has to measure: the device runs no kernels, the dtype is no float in the native
    byte order, or there are no elements. Raises RunnerError if the device did not count every
    element; other errors are those of the device's library.
    """
    dtype = values.dtype
    if not (runs_kernels(device) and dtype.name in TYPES and dtype.isnative and values.size):
        return None
    flat = device.use().ascontiguousarray(values).reshape(-1)
    measured = _measure(flat, device)
    counted = int(measured.histogram.sum())
    finite = int(measured.records["finite"].sum()) + bins.nonfinite(measured.histogram, flat.dtype)
    if (counted, finite) != (flat.size, flat.size):
        raise RunnerError(
            f"{device} measured {min(counted, finite)} of {flat.size} elements of {flat.dtype.name}, so "
            "the figures would be wrong - use device=cpu"
        )
    return summed(flat.dtype, flat.size, measured)


def _measure(flat: Array, device: Device) -> Measured:
    """Return what is kept of one or more elements, flat and contiguous."""
    blocks = -(-flat.size // BLOCK)
    fields = RECORD.itemsize // 8
    out = device.use().zeros(bins.BINS + 1 + fields * blocks, dtype=np.int64)
    launch = launcher(device)(native.device_text())
    arguments = (flat, np.uint64(flat.size), out)
    launch(f"measure_{flat.dtype.name}", min(blocks, GRID), LANES, arguments)
    kept = to_host(out, device)
    counts, zeros, rest = np.split(kept, [bins.BINS, bins.BINS + 1])
    records = rest.view(RECORD)
    kernels.complete(records, flat.size, flat.dtype, lambda block: to_host(flat[block], device))
    return Measured(counts, records, int(zeros[0]))
