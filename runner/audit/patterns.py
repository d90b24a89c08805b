"""Tensors whose elements stand in an order that no chance gives: identities, equal rows, runs of equal
numbers, sequences; and those that are another tensor repeated, or hold one in few places.
"""

from __future__ import annotations

import math

import numpy as np

from initlab.engine import laws
from initlab.runner.audit.found import IDENTITY, PATTERN, Found
from initlab.runner.audit.sample import MOST, chunks
from initlab.runner.stats.kolmogorov import half_spacing
from initlab.runner.stats.onepass import Summary

LEAST_RISING = 16
"""Elements that rise by chance in one of 10^13 vectors."""
LEAST_ROWS, LEAST_COLUMNS = 8, 4
LOOK_ROWS, LOOK_COLUMNS = 64, 256
"""The corner of a matrix that is looked at before the rest of it."""
OFF_WAVE = 0.02
"""The part of a column's spread by which it may be off a wave; noise is off by 1.4 of it."""
LEAST_SEEN = 0.25
"""The part of the columns that must be waves beyond what rounding explains."""
MOST_RUNS = 8
MOST_TIMES = 16
BLOCK_COUNTS = (2, 3, 4, 8)


def pattern(values: np.ndarray, summary: Summary) -> Found | None:
    """Return what a tensor without chance is; None for any other."""
    if values.size > max(values.shape, default=1):
        return _identity(values, summary) or _equal_rows(values) or _waves(values, summary)
    return _line(values) if 2 < values.size <= MOST else None


def _identity(values: np.ndarray, summary: Summary) -> Found | None:
    gain = summary.high if summary.low == 0 else summary.low
    nonzero = summary.count - summary.zeros
    if not gain or nonzero > 4 * max(values.shape):
        return None
    last = values.ndim - 1
    for channels in dict.fromkeys([(0, 1), (last - 1, last)]):
        for blocks in (1, 2, 3, 4):
            law = laws.Structured("identity", gain, channels, blocks)
            if values.shape[0] % blocks == 0 and _is_as_declared(law, values):
                remark = (f"in {blocks} blocks of axis 0",) if blocks > 1 else ()
                return Found(IDENTITY, summary.count, {"gain": gain}, remark)
    return None


def _is_as_declared(law: laws.Law, values: np.ndarray) -> bool:
    width = math.prod(values.shape[1:])
    return all(
        law.wrong_in(part.reshape(-1), values.shape, first * width) == 0
        for first, part in chunks(values)
    )


def _equal_rows(values: np.ndarray) -> Found | None:
    """Return the pattern of a tensor whose rows, or last columns, are one row or column repeated."""
    if values.shape[0] > 1 and values[0].size > 1 and _same(values[1:], values[:1]):
        return Found(PATTERN, values.size, {}, ("all rows of axis 0 are equal",))
    if values.shape[-1] > 1 and np.array_equal(values[0][..., 0], values[0][..., 1]):
        first = values[..., :1]
        if all(bool((part == first[at : at + 1]).all()) for at, part in _rows_of(values)):
            return Found(PATTERN, values.size, {}, ("equal along the last axis",))
    return None


def _rows_of(values: np.ndarray) -> list[tuple[int, np.ndarray]]:
    return [(at, values[at : at + 1]) for at in range(values.shape[0])]


def _same(values: np.ndarray, first: np.ndarray) -> bool:
    """Return whether every row of axis 0 is the row `first`."""
    row = first.reshape(-1)
    return bool(np.array_equal(values[0].reshape(-1), row)) and all(
        bool((part == row).all()) for _, part in chunks(values)
    )


def _line(values: np.ndarray) -> Found | None:
    """Return the pattern of a vector: runs of equal numbers, or a sequence."""
    line = values.reshape(-1).astype(np.float64)
    steps = np.diff(line)
    changes = np.flatnonzero(steps)
    if changes.size <= min(MOST_RUNS - 1, line.size // 3):
        runs = [f"{line[at]:.6g}" for at in (0, *(changes + 1)[: MOST_RUNS - 1])]
        return Found(PATTERN, line.size, {}, (f"runs of equal numbers: {' | '.join(runs)}",))
    if line.size < 4:
        return None
    size = float(np.abs(line).max())
    first = float(line[0])
    if np.ptp(steps) < 1e-5 * size:
        numbers = {"first": first, "step": float(steps.mean())}
        return Found(PATTERN, line.size, numbers, ("a sequence of equal steps",))
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        ratios = np.diff(np.log(line)) if line.min() > 0 else np.zeros(1)
        powers = np.diff(np.exp(np.clip(line, -80, 80)))
    if np.ptp(ratios) < 1e-4 and ratios[0]:
        numbers = {"first": first, "ratio": float(np.exp(ratios.mean()))}
        return Found(PATTERN, line.size, numbers, ("a sequence of equal ratios",))
    if np.ptp(powers) < 1e-3 * np.abs(powers).max() and powers[0]:
        return Found(PATTERN, line.size, {"first": first}, ("the logarithms of equal steps",))
    if changes.size >= LEAST_RISING - 1 and (steps.min() >= 0 or steps.max() <= 0):
        said = "a rising sequence" if steps.max() > 0 else "a falling sequence"
        return Found(PATTERN, line.size, {"first": first, "last": float(line[-1])}, (said,))
    return None


def _waves(values: np.ndarray, summary: Summary) -> Found | None:
    """Return the pattern of a matrix whose columns are waves or sequences, as fixed positions are.

    x[p + 1] + x[p - 1] is then a x[p] + b, with numbers a and b of the column.
    """
    axis = next((axis for axis, size in enumerate(values.shape) if size > 1), 0)
    if values.ndim - axis != 2:
        return None
    length, width = values.shape[axis], values.shape[axis + 1]
    if length < LEAST_ROWS or not LEAST_COLUMNS <= width <= MOST:
        return None
    matrix = values.reshape(length, width)
    most = max(LEAST_ROWS, MOST // width)
    for part in (matrix[:LOOK_ROWS, :LOOK_COLUMNS], matrix[:most]):
        if not _all_waves(part.astype(np.float64), summary):
            return None
    said = "each column is a wave or a sequence, as fixed positions are"
    return Found(PATTERN, values.size, {}, (said,))


def _all_waves(columns: np.ndarray, summary: Summary) -> bool:
    """Return whether each column is a wave, to the rounding of the tensor's dtype."""
    middle, around = columns[1:-1], columns[2:] + columns[:-2]
    x, y = middle - middle.mean(axis=0), around - around.mean(axis=0)
    power = (x * x).mean(axis=0)
    slope = (x * y).mean(axis=0) / np.where(power > 0, power, 1.0)
    off = np.sqrt(((y - slope * x) ** 2).mean(axis=0))
    largest = np.abs(columns).max(axis=0)
    rounding = 4 * np.asarray(half_spacing(largest, summary.binned))
    seen = (power > 0) & (off <= OFF_WAVE * np.sqrt(power))
    return bool((seen | (off <= rounding)).all()) and float(seen.mean()) >= LEAST_SEEN


def tap(values: np.ndarray, summary: Summary) -> tuple[np.ndarray, str] | None:
    """Return the one position of a convolution's kernel that is not all zeros, and where it is."""
    if values.ndim < 3 or summary.zeros < summary.count // 2:
        return None
    for channels in ((0, 1), (values.ndim - 2, values.ndim - 1)):
        kernel = tuple(axis for axis in range(values.ndim) if axis not in channels)
        if math.prod(values.shape[axis] for axis in kernel) < 2:
            continue
        busy = np.argwhere((values != 0).any(axis=channels))
        if len(busy) == 1:
            where: list[slice | int] = [slice(None)] * values.ndim
            for axis, place in zip(kernel, busy[0].tolist(), strict=True):
                where[axis] = place
            return values[tuple(where)], f"zero beside position {busy[0].tolist()} of the kernel"
    return None


def zero_rows(values: np.ndarray, summary: Summary) -> list[int]:
    """Return the rows of axis 0 that are all zeros, if they are few among others."""
    width = math.prod(values.shape[1:])
    if values.ndim < 2 or width < 4 or summary.zeros < width:
        return []
    found: list[int] = []
    for first, part in chunks(values):
        found += (first + np.flatnonzero((part == 0).all(axis=1))).tolist()
        if len(found) > max(4, values.shape[0] // 50):
            return []
    return found if len(found) < values.shape[0] else []


def without(values: np.ndarray, rows: list[int]) -> np.ndarray:
    """Return the longest part of axis 0 between these rows."""
    borders = [-1, *rows, values.shape[0]]
    start, stop = max(zip(borders, borders[1:], strict=False), key=lambda pair: pair[1] - pair[0])
    return values[start + 1 : stop]


def times(values: np.ndarray) -> int:
    """Return how often each row of axis 0 stands one after the other; 1 for rows that do not."""
    length = values.shape[0] if values.ndim else 0
    same = 1
    while same < min(length, MOST_TIMES + 1) and np.array_equal(values[same], values[0]):
        same += 1
    width = math.prod(values.shape[1:])
    least = 2 * same if width > 1 else 4 * same
    if same == 1 or same > MOST_TIMES or length % same or length < least:
        return 1
    step = same * max(1, MOST // (same * width))
    for at in range(0, length, step):
        groups = values[at : at + step].reshape(-1, same, width)
        if not (groups == groups[:, :1]).all():
            return 1
    return same


def repeated(values: np.ndarray) -> tuple[int, int] | None:
    """Return (axis, count) if an axis consists of `count` equal parts with the same numbers."""
    for axis in range(min(values.ndim, 2)):
        length = values.shape[axis]
        turned = np.moveaxis(values, axis, 0)
        for count in BLOCK_COUNTS:
            part = length // count
            if length % count or part * turned[0].size < 16:
                continue
            if not np.array_equal(turned[0], turned[part]):
                continue
            first = turned[:part]
            if all(_equal(first, turned[k * part : (k + 1) * part]) for k in range(1, count)):
                return axis, count
    return None


def _equal(a: np.ndarray, b: np.ndarray) -> bool:
    pairs = zip(chunks(a), chunks(b), strict=True)
    return all(bool(np.array_equal(x, y)) for (_, x), (_, y) in pairs)
