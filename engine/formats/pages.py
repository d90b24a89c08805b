"""Elements of arrays that may be mapped from files, some at a time, so that neither a copy of a whole
array nor all pages of its file are ever in the memory of the process.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from typing import Any

import numpy as np

BLOCK = 1 << 18
"""Elements of a block."""


def elements(array: np.ndarray, start: int, stop: int) -> np.ndarray:
    """Return elements start … stop - 1 in C order, flat: a view where they lie one after the other,
    else a copy of these elements only.
    """
    if array.flags.c_contiguous:
        return array.reshape(-1)[start:stop]
    return array.flat[start:stop]


def blocks(array: np.ndarray) -> Iterator[np.ndarray]:
    """Yield all elements in C order, flat, BLOCK at a time."""
    for start in range(0, array.size, BLOCK):
        yield elements(array, start, start + BLOCK)


def read_once(array: np.ndarray) -> Iterator[np.ndarray]:
    """Yield the same, and release the pages of each block after it."""
    for block in blocks(array):
        yield block
        release(block)


def release(array: np.ndarray) -> None:
    """Take the pages of a mapped array out of the memory of the process; an access reads them again.

    Nothing happens to an array in ordinary memory. What was written to the array is lost.
    """
    held = _map_of(array)
    if held is None or not array.size or not hasattr(mmap, "MADV_DONTNEED"):
        return
    reach = sum((n - 1) * step for n, step in zip(array.shape, array.strides, strict=True))
    start = array.ctypes.data - np.frombuffer(held, np.uint8).ctypes.data
    stop = start + reach + array.itemsize
    start -= start % mmap.PAGESIZE
    held.madvise(mmap.MADV_DONTNEED, start, stop - start)


def _map_of(array: np.ndarray) -> mmap.mmap | None:
    """Return the map that holds the memory of an array; None if it is in ordinary memory."""
    owner: Any = array
    while owner is not None and not isinstance(owner, mmap.mmap):
        owner = owner.obj if isinstance(owner, memoryview) else getattr(owner, "base", None)
    return owner
