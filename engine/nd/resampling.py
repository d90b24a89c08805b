"""Resizing of images (height, width, channels) in NumPy, with the numbers of OpenCV 3.4, which
MXNet uses.

Bytes are computed in whole numbers, as there: linear, nearest and area interpolation agree to the
bit; cubic differs by 1 for a few elements, since OpenCV rounds some of them in float32.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

NEAREST, LINEAR, CUBIC, AREA = range(4)
BITS = 11
"""The number of bits of a weight, for bytes."""
Taps: TypeAlias = tuple[np.ndarray, np.ndarray]
"""(positions, weights), both of shape (taps, new length)."""


def _places(old: int, new: int) -> tuple[np.ndarray, np.ndarray]:
    """Return for each new element the old one before it, and how far it is behind that (float32)."""
    at = ((np.arange(new) + 0.5) * (1.0 / (new / old)) - 0.5).astype(np.float32)
    before = np.floor(at).astype(np.int64)
    return before, at - before.astype(np.float32)


def _two(before: np.ndarray, part: np.ndarray, old: int, across: bool) -> Taps:
    """Return the taps between two neighbours. Along a row, elements beyond the edge are whole ones."""
    if across:
        part = np.where((before < 0) | (before >= old - 1), np.float32(0), part)
        before = np.clip(before, 0, old - 1)
    positions = np.clip(np.stack([before, before + 1]), 0, old - 1)
    return positions, np.stack([np.float32(1) - part, part])


def _linear(old: int, new: int, across: bool) -> Taps:
    return _two(*_places(old, new), old, across)


def _cubic(old: int, new: int, across: bool) -> Taps:
    """Keys' kernel with a = -0.75."""
    before, x = _places(old, new)
    a = np.float32(-0.75)
    y = 1 - x
    first = ((a * (x + 1) - 5 * a) * (x + 1) + 8 * a) * (x + 1) - 4 * a
    second, third = (((a + 2) * t - (a + 3)) * t * t + 1 for t in (x, y))
    weights = np.stack([first, second, third, 1 - first - second - third])
    return np.clip(np.stack([before + i for i in range(-1, 3)]), 0, old - 1), weights


def _enlarged(old: int, new: int, across: bool) -> Taps:
    """What OpenCV does for area interpolation if an axis becomes longer."""
    numbers = np.arange(new)
    before = np.floor(numbers * (1.0 / (new / old))).astype(np.int64)
    part = ((numbers + 1) - (before + 1) * (new / old)).astype(np.float32)
    return _two(before, np.where(part <= 0, 0, part - np.floor(part)), old, across)


def _through_taps(
    image: np.ndarray, height: int, width: int, taps: Callable[[int, int, bool], Taps]
) -> np.ndarray:
    columns, across = taps(image.shape[1], width, True)
    rows, down = taps(image.shape[0], height, False)
    if image.dtype != np.uint8:
        wide = sum(image[:, i] * w[:, None] for i, w in zip(columns, across, strict=True))
        return np.asarray(sum(wide[i] * w[:, None, None] for i, w in zip(rows, down, strict=True)))
    across, down = (np.rint(w * np.float32(1 << BITS)).astype(np.int64) for w in (across, down))
    wide = sum(
        image[:, i].astype(np.int64) * w[:, None] for i, w in zip(columns, across, strict=True)
    )
    parts = [(wide[i], w[:, None, None]) for i, w in zip(rows, down, strict=True)]
    if len(parts) == 2:
        whole = (sum((w * (v >> 4)) >> 16 for v, w in parts) + 2) >> 2
    else:
        whole = (sum(w * v for v, w in parts) + (1 << 2 * BITS - 1)) >> 2 * BITS
    return _bytes(whole)


def _bytes(values: np.ndarray) -> np.ndarray:
    """Return whole numbers as bytes, cut to 0 … 255."""
    cut: np.ndarray = np.clip(values, 0, 255).astype(np.uint8)
    return cut


def _overlaps(old: int, new: int) -> np.ndarray:
    """Return how much each old element counts for each new one, (new, old)."""
    scale = 1.0 / (new / old)
    weights = np.zeros((new, old), np.float32)
    for i in range(new):
        start, end = i * scale, (i + 1) * scale
        cell = min(scale, old - start)
        last = min(int(end), old - 1)
        first = min(int(np.ceil(start)), last)
        weights[i, first:last] = 1 / cell
        if first - start > 1e-3:
            weights[i, first - 1] = (first - start) / cell
        if end - last > 1e-3:
            weights[i, last] = min(end - last, 1.0, cell) / cell
    return weights


def _summed(rows: np.ndarray, new: int) -> np.ndarray:
    """Return `new` weighted sums of rows, added in their order."""
    weights = _overlaps(len(rows), new)
    sums = np.zeros((new, *rows.shape[1:]), np.float32)
    for row, weight in zip(rows, weights.T, strict=True):
        used = np.nonzero(weight)[0]
        sums[used] += row * weight[used, None, None]
    return sums


def _by_area(image: np.ndarray, height: int, width: int) -> np.ndarray:
    if image.shape[:2] == (2 * height, 2 * width):
        quarter = image.reshape(height, 2, width, 2, -1)
        if image.dtype == np.uint8:
            return _bytes((quarter.sum(axis=(1, 3), dtype=np.int64) + 2) >> 2)
        return np.asarray(quarter.sum(axis=(1, 3)) * np.float32(0.25))
    if height > image.shape[0] or width > image.shape[1]:
        return _through_taps(image, height, width, _enlarged)
    wide = _summed(image.astype(np.float32).transpose(1, 0, 2), width).transpose(1, 0, 2)
    mean = _summed(wide, height)
    return _bytes(np.rint(mean)) if image.dtype == np.uint8 else np.asarray(mean)


def _nearest(image: np.ndarray, height: int, width: int) -> np.ndarray:
    rows, columns = (
        np.minimum(np.floor(np.arange(new) * (1.0 / (new / old))).astype(np.int64), old - 1)
        for old, new in zip(image.shape, (height, width), strict=False)
    )
    return np.asarray(image[rows][:, columns])


def resized(image: np.ndarray, height: int, width: int, method: int) -> np.ndarray:
    """Return an image (height, width, channels) of bytes or float32 in another size.

    `method` is NEAREST, LINEAR, CUBIC or AREA. Other dtypes are computed in float32.
    """
    if image.shape[:2] == (height, width):
        return image.copy()
    if image.dtype not in (np.uint8, np.float32):
        return resized(image.astype(np.float32), height, width, method).astype(image.dtype)
    if method == NEAREST:
        return _nearest(image, height, width)
    halved = image.shape[:2] == (2 * height, 2 * width)
    if method == AREA or (method == LINEAR and halved):
        return _by_area(image, height, width)
    return _through_taps(image, height, width, _linear if method == LINEAR else _cubic)
