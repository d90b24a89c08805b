"""Which elements of a storage a view has: exactly, by its sizes and strides."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from initlab.runner.torch.watch.record.recording import View

NONE, PART, WHOLE = "none", "part", "whole"


def reach(view: View) -> tuple[int, int]:
    """Return (first byte, byte after the last) that a view touches."""
    if 0 in view.sizes:
        return 0, 0
    far = sum((size - 1) * stride for size, stride in zip(view.sizes, view.strides, strict=True))
    return view.first * view.width, (view.first + far + 1) * view.width


def is_dense(view: View) -> bool:
    """Return whether a view has every element between its first and its last, once."""
    step = 1
    for stride, size in sorted(zip(view.strides, view.sizes, strict=True)):
        if size == 1:
            continue
        if stride != step:
            return False
        step *= size
    return True


def touched(mask: np.ndarray, view: View) -> np.ndarray:
    """Return the elements of a view in a mask of bytes, as a view of the mask."""
    if 0 in view.sizes:
        return mask[:0]
    sizes = (*view.sizes, view.width)
    strides = (*(stride * view.width for stride in view.strides), 1)
    return np.lib.stride_tricks.as_strided(mask[view.first * view.width :], sizes, strides)


def covers(writing: View | None, read: View) -> str:
    """Return how much of `read` a write to `writing` covers: none, a part, or the whole."""
    if writing is None:
        return WHOLE
    (a, b), (c, d) = reach(writing), reach(read)
    if b <= c or d <= a:
        return NONE
    if is_dense(writing):
        if a <= c and d <= b:
            return WHOLE
        if is_dense(read):
            return PART
    mask = np.zeros(max(b, d), bool)
    touched(mask, writing)[...] = True
    found = touched(mask, read)
    return WHOLE if found.all() else PART if found.any() else NONE


def covered(writings: Iterable[View], read: View) -> np.ndarray:
    """Return which elements of `read` these writes cover, as a mask of its sizes."""
    writings = list(writings)
    end = max([reach(read)[1], *(reach(one)[1] for one in writings)])
    mask = np.zeros(end, bool)
    for one in writings:
        touched(mask, one)[...] = True
    return np.asarray(touched(mask, read).all(axis=-1))
