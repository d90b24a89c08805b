"""Tensors of any size, looked at with little memory: one pass for the figures, and rows to see how
elements depend on each other.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from initlab.runner.stats.onepass import BLOCK, Accumulator, Summary, summarize

MOST = 1 << 20
"""Elements that are held at once."""
SEGMENTS = 12
"""Parts of axis 0 from which rows are taken: divisible by 2, 3 and 4."""


def figures(values: np.ndarray) -> Summary:
    """Return the figures of all elements, in one pass."""
    if values.flags.c_contiguous:
        return summarize(values)
    found = Accumulator(values.dtype, values.size)
    for number in range(max(1, -(-values.size // BLOCK))):
        found.add(number, values.flat[number * BLOCK : (number + 1) * BLOCK])
    return found.result()


def rows(values: np.ndarray) -> np.ndarray:
    """Return the tensor as float64, or of a large one rows of axis 0 from all parts of it, in order,
    and of enormous rows the beginning.
    """
    if values.size <= MOST or values.ndim == 0:
        return values.astype(np.float64)
    length, width = values.shape[0], math.prod(values.shape[1:])
    if length < 2 * SEGMENTS or length % SEGMENTS:
        count = max(1, min(length, MOST // max(1, min(width, MOST // SEGMENTS))))
        chosen = np.unique(np.linspace(0, length - 1, count).astype(np.int64))
    else:
        each = max(1, min(length // SEGMENTS, MOST // SEGMENTS // max(1, width)))
        starts = np.arange(SEGMENTS) * (length // SEGMENTS)
        chosen = (starts[:, None] + np.arange(each)).reshape(-1)
    room = max(1, MOST // len(chosen))
    if width <= room:
        return values[chosen].astype(np.float64)
    cut = values.reshape(length, -1) if values.flags.c_contiguous else None
    taken = [(values[i].reshape(-1) if cut is None else cut[i])[:room] for i in chosen.tolist()]
    return np.stack(taken).astype(np.float64)


def chunks(values: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Yield (first row, some rows of axis 0 as a matrix) of a whole tensor, in order."""
    width = max(1, math.prod(values.shape[1:]))
    step = max(1, MOST // width)
    for start in range(0, values.shape[0], step):
        part = values[start : start + step]
        yield start, part.reshape(part.shape[0], -1)
