"""Which law a tensor's values follow, found from the values alone.

The order of questions: is it unset memory; a number or a pattern; repeated; with zero rows; in blocks of
different spread; orthogonal; else the law of independent elements that fits (`fit`), unless the
elements depend on each other (`freshness`). Large tensors are read in one pass for their figures; how
elements depend on each other is seen in a part of them (`sample`).
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from initlab.runner.audit import patterns
from initlab.runner.audit.fit import ALPHA, VALUES, fit
from initlab.runner.audit.found import (
    BLOCKS,
    CONSTANT,
    EMPTY,
    INTEGERS,
    ONES,
    ORTHOGONAL,
    TRAINED,
    UNKNOWN,
    UNSET,
    ZEROS,
    Found,
)
from initlab.runner.audit.freshness import dependence
from initlab.runner.audit.sample import MOST, figures, rows
from initlab.runner.stats.law import two_sided
from initlab.runner.stats.onepass import Summary

PARTS = (2, 3, 4)
"""Numbers of blocks that an axis is divided into: packed queries, keys and values, gates."""
APART = 1e-9
"""The probability below which blocks are said to have different spreads."""
FAR, NEAR = 1e6, 1e-9
"""Times the median: trained tensors reach 5,000, memory that nobody wrote 1e20; and a density near 0
that no law here has.
"""
OUTLIER, MOST_OUTLIERS = 8.0, 16
"""Standard deviations beyond which an element is far away from all others, and at most so many are.
"""
LARGEST_COPY = 1 << 24
"""Elements of tensors that are looked at again without the few."""
LONGEST = 1 << 16
"""The longest rows whose angles are looked at."""
OFF_RIGHT = 0.05
"""Times 1/sqrt(n): the largest cosine of orthogonal rows of n elements. Independent rows have 1 of it,
and what rounding adds is 0.002 of it in bfloat16.
"""


def infer(values: np.ndarray) -> Found:
    """Return what a tensor's values say about how they were made."""
    if values.size == 0:
        return Found(EMPTY, 0)
    if values.dtype.kind in "biu":
        return Found(INTEGERS, values.size)
    summary = figures(values)
    return _unset(summary) or _plain(values, summary) or _whole(values, summary)


def _unset(summary: Summary) -> Found | None:
    """Return the finding for values that no law with a bounded density gives."""
    if summary.nonfinite:
        said = f"{summary.nonfinite:,} of {summary.count:,} elements are NaN or infinite"
        return Found(UNSET, summary.count, {}, (said,))
    lows, highs, counts = map(np.array, zip(*summary.bars(), strict=True))
    farthest = np.maximum(np.abs(lows), np.abs(highs))
    nearest = np.minimum(np.abs(lows), np.abs(highs))
    counts = counts - np.where(nearest == 0, summary.zeros, 0).clip(max=counts)
    total = int(counts.sum())
    if total < 8:
        return None
    order = np.argsort(farthest)
    middle = order[np.searchsorted(np.cumsum(counts[order]), total / 2)]
    median = float(farthest[middle])
    large = int(counts[nearest > FAR * median].sum())
    small = int(counts[farthest < nearest[middle] * NEAR / total].sum())
    if not large and not small:
        return None
    many, what = (large, "larger") if large else (small, "smaller")
    said = f"{many:,} of {summary.count:,} elements are far {what} than the median {median:.3g}"
    return Found(UNSET, summary.count, {}, (said,))


def _plain(values: np.ndarray, summary: Summary) -> Found | None:
    """Return the finding for one number, or a pattern."""
    if summary.low == summary.high:
        number = float(summary.low or 0.0)
        kind = {0.0: ZEROS, 1.0: ONES}.get(number, CONSTANT)
        return Found(kind, summary.count, {} if kind != CONSTANT else {"value": number})
    return patterns.pattern(values, summary)


def _whole(values: np.ndarray, summary: Summary) -> Found:
    """Return the finding for a tensor that may consist of parts."""
    zeros = patterns.zero_rows(values, summary)
    if zeros:
        shown = ", ".join(map(str, zeros[:4])) + (", …" if len(zeros) > 4 else "")
        return _remarked(infer(patterns.without(values, zeros)), f"zero rows: {shown}")
    tap = patterns.tap(values, summary)
    if tap is not None:
        return _remarked(infer(tap[0]), tap[1])
    times = patterns.times(values)
    if times > 1:
        return _remarked(infer(values[::times]), f"each row of axis 0 stands {times} times")
    copies = patterns.repeated(values)
    if copies is not None:
        axis, count = copies
        part = np.take(values, range(values.shape[axis] // count), axis)
        return _remarked(_alone(part), f"the same numbers {count} times along axis {axis}")
    return _blocks(values) or _alone(values, summary)


def _remarked(found: Found, remark: str) -> Found:
    return replace(found, remarks=(*found.remarks, remark))


def _split(values: np.ndarray, axis: int, count: int) -> list[np.ndarray] | None:
    length = values.shape[axis]
    if length % count or length < 2 * count:
        return None
    return np.split(values, count, axis)


def _blocks(values: np.ndarray) -> Found | None:
    """Return the finding for an axis whose equal parts have different spreads: of all divisions, the
    one that describes the values best.
    """
    best: tuple[float, int, list[np.ndarray]] | None = None
    for axis in range(min(values.ndim, 2)):
        for count in PARTS:
            parts = _split(values, axis, count)
            if parts is None:
                continue
            powers, p = _spreads([rows(part)[..., None] for part in parts])
            if p >= APART:
                continue
            cost = values.size / 2 / count * sum(map(math.log, powers)) + 10 * count
            if best is None or cost < best[0]:
                best = (cost, axis, parts)
    if best is None:
        return None
    _, axis, parts = best
    found = tuple(
        _unset(figures(part)) or _plain(part, figures(part)) or _alone(part) for part in parts
    )
    if any(not one.fresh for one in found):
        std = float(np.std(rows(values)))
        said = "parts of it differ in spread, and do not follow a law each"
        return Found(TRAINED, values.size, {"std": std}, (said,))
    return Found(BLOCKS, values.size, {}, (), {}, found, axis)


def _spreads(parts: list[np.ndarray]) -> tuple[list[float], float]:
    """Return (mean squares of the parts, the probability that they are as different by chance)."""
    squares = [part * part for part in parts]
    powers = [max(float(one.mean()), 1e-300) for one in squares]
    count = parts[0].size
    if count < 8:
        return powers, 1.0
    if min(powers) == 1e-300:
        return powers, 0.0 if max(powers) > 1e-300 else 1.0
    tails = [float((s * s).mean()) / p**2 for s, p in zip(squares, powers, strict=True)]
    kurtosis = float(np.mean(tails)) if count >= 64 else max(3.0, float(np.mean(tails)))
    error = math.sqrt(max(kurtosis - 1, 0.2) / count) / 2 * 1.05
    logs = np.log(powers) / 2
    z = float(np.ptp(logs)) / (error * math.sqrt(2))
    return powers, min(1.0, two_sided(z) * len(parts) * (len(parts) - 1) / 2)


def _alone(values: np.ndarray, summary: Summary | None = None) -> Found:
    """Return the finding for a tensor, or a part of one, that follows one law."""
    summary = figures(values) if summary is None else summary
    right = orthogonal(values)
    if right is not None:
        return right
    found = _independent(values, summary)
    return found if found.fresh else _but_for_few(values, found)


def _independent(values: np.ndarray, summary: Summary) -> Found:
    """Return the finding for elements of one law that do not depend on each other, or that do."""
    small = values.reshape(-1) if values.size <= VALUES else None
    found = fit(summary, small)
    p, seen = dependence(rows(values), found.numbers.get("mean", 0.0))
    if p >= ALPHA:
        return found
    remark = f"not fresh: {seen}, p={p:.1e}"
    looks = () if found.kind == UNKNOWN else (f"each element alone looks {found.kind}",)
    assert summary.std is not None
    return Found(TRAINED, summary.count, {"std": summary.std}, (remark, *looks))


def _but_for_few(values: np.ndarray, found: Found) -> Found:
    """Say of values that follow no law whether they would but for a few that are far away, as an
    initializer leaves them that clamps an infinity.
    """
    std = found.numbers.get("std", 0.0)
    if values.size > LARGEST_COPY or not std > 0:
        return found
    away = np.abs(values) > OUTLIER * std
    count = int(away.sum())
    if not 0 < count <= MOST_OUTLIERS:
        return found
    rest = np.where(away, values.dtype.type(0), values)
    law = _independent(rest, figures(rest))
    if not law.fresh:
        return found
    farthest = float(values[away][np.abs(values[away]).argmax()])
    times = abs(farthest) / law.numbers["std"]
    few = "1 element is" if count == 1 else f"{count} elements are far away, up to"
    said = f"{few} {farthest:.5g}, {times:.0f} standard deviations; without: {law}"
    return Found(UNKNOWN, found.elements, found.numbers, (said,))


def orthogonal(values: np.ndarray) -> Found | None:
    """Return the finding for a matrix whose shorter side is orthogonal, or one in blocks of axis 0
    that each are.
    """
    if values.ndim < 2 or values.size < 16:
        return None
    whole = _gain(values)
    # Some of the orthogonal rows of a matrix are orthogonal too: only a tall one may consist of blocks.
    tall = values.shape[0] > values[0].size
    for count in (*PARTS[::-1], 1) if whole is None or tall else (1,):
        parts = [values] if count == 1 else _split(values, 0, count)
        gains = [whole] if count == 1 else [_gain(part) for part in parts or []]
        known = [gain for gain in gains if gain is not None]
        if known and len(known) == len(gains) and np.ptp(known) <= 0.01 * known[0]:
            remark = (f"in {count} blocks of axis 0, each of its own",) if count > 1 else ()
            return Found(ORTHOGONAL, values.size, {"gain": known[0]}, remark)
    return None


def _gain(values: np.ndarray) -> float | None:
    """Return the length of orthogonal rows or columns, on the shorter side; None if they are not."""
    most = {"float16": 5e-3, "bfloat16": 3e-2}.get(values.dtype.name, 1e-3)
    for matrix in (
        (
            values.reshape(values.shape[0], -1),
            values.reshape(-1, values.shape[-1]),
        )
        if values.flags.c_contiguous or values.size <= MOST
        else ()
    ):
        shorter = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T
        if shorter.shape[0] < 4 or shorter.shape[1] > LONGEST:
            continue
        some = shorter[: max(4, min(96, MOST // shorter.shape[1]))].astype(np.float64)
        gram = some @ some.T
        lengths = np.diag(gram)
        mean = float(lengths.mean())
        tolerance = min(most, OFF_RIGHT / math.sqrt(shorter.shape[1]))
        if mean <= 0 or np.ptp(lengths) > tolerance * mean:
            continue
        if np.abs(gram - np.diag(lengths)).max() <= tolerance * mean:
            return math.sqrt(mean)
    return None
