"""The distance of two tensors, read block by block; only small tensors are copied whole.

    differing     elements whose bits differ, or whose values differ if the dtypes do; -0.0 differs
                  from 0.0, and one kind of NaN from another
    max_abs       max |a - b|
    relative_l2   ||a - b|| / ||a||; infinite if a is all zeros and b is not
    correlation   Pearson's; none if a or b is constant
    ks            the two-sample Kolmogorov-Smirnov statistic

max_abs, relative_l2 and correlation use the pairs that are finite on both sides; the number of
other pairs is reported. `ks` leaves out NaN only, since infinities have a place in a distribution.
It is exact for up to EXACT elements on each side. For more, the distribution functions are computed
exactly at EDGES quantiles of a subsample of both sides, which gives a lower and an upper bound.

Memory: blocks of BLOCK elements, and for `ks` EXACT float64 numbers for each side: less than 100 MB
for any size of the tensors.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

BLOCK = 1 << 18
"""Elements converted to float64 at a time."""
EXACT = 1 << 20
"""The largest tensor, in elements, whose `ks` is computed from all values sorted."""
SAMPLE = 1 << 16
"""Elements of each side from which the edges for larger tensors are chosen."""
EDGES = 4096


@dataclass(frozen=True)
class Smirnov:
    """A Kolmogorov-Smirnov statistic between `least` and `most`, which are equal if it is exact."""

    least: float
    most: float

    @property
    def exact(self) -> bool:
        """Whether the statistic is exact."""
        return self.least == self.most

    @property
    def method(self) -> str:
        """The method of computation, in words."""
        return "exact" if self.exact else f"at {EDGES} quantiles of a sample"


@dataclass(frozen=True)
class Distance:
    """The figures of two tensors of the same shape; None for a figure that is not defined."""

    elements: int
    differing: int
    first: tuple[int, ...] | None
    """The index of the first differing element."""
    nan: tuple[int, int]
    infinite: tuple[int, int]
    left_out: int
    """Pairs that are not finite on both sides."""
    max_abs: float | None
    relative_l2: float | None
    correlation: float | None
    ks: Smirnov | None

    @property
    def identical(self) -> bool:
        """Whether all bits are equal."""
        return self.differing == 0


def distance(a: np.ndarray, b: np.ndarray) -> Distance:
    """Compute the figures of two tensors of the same shape."""
    flat_a, flat_b = a.reshape(-1), b.reshape(-1)
    sums = _Sums()
    for x, y, start in _blocks(flat_a, flat_b):
        sums.add(x, y, start)
    first = (
        None if sums.first is None else tuple(int(i) for i in np.unravel_index(sums.first, a.shape))
    )
    return Distance(
        elements=a.size,
        differing=sums.differing,
        first=first,
        nan=sums.nan,
        infinite=sums.infinite,
        left_out=sums.left_out,
        max_abs=sums.max_abs if sums.left_out < a.size else None,
        relative_l2=_ratio(sums.difference.value, sums.of_a.value)
        if sums.left_out < a.size
        else None,
        correlation=_correlation(flat_a, flat_b, sums),
        ks=Smirnov(0.0, 0.0) if not sums.differing and a.size > sums.nan[0] else smirnov(a, b),
    )


def _ratio(part: float, whole: float) -> float:
    if part == 0:
        return 0.0
    return math.inf if whole == 0 else part / whole


def _blocks(a: np.ndarray, b: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray, int]]:
    for start in range(0, a.size, BLOCK):
        yield a[start : start + BLOCK], b[start : start + BLOCK], start


class _Norm:
    """A Euclidean norm summed without overflow: the sum of squares relative to the largest number
    so far.
    """

    def __init__(self) -> None:
        self.largest = 0.0
        self._sum = 0.0

    def add(self, x: np.ndarray) -> None:
        largest = float(np.abs(x).max(initial=0.0))
        if largest == 0 or math.isinf(self.largest):
            return
        if largest > self.largest:
            self._sum *= (self.largest / largest) ** 2
            self.largest = largest
        if not math.isinf(largest):
            self._sum += float(np.square(x / self.largest).sum())

    @property
    def value(self) -> float:
        return self.largest if math.isinf(self.largest) else self.largest * math.sqrt(self._sum)


class _Sums:
    """The counts and sums of one pass over two tensors."""

    def __init__(self) -> None:
        self.differing = 0
        self.first: int | None = None
        self.nan, self.infinite, self.left_out = (0, 0), (0, 0), 0
        self.max_abs = 0.0
        self.difference, self.of_a, self.of_b = _Norm(), _Norm(), _Norm()
        self.ranges = ([math.inf, -math.inf], [math.inf, -math.inf])

    def add(self, x: np.ndarray, y: np.ndarray, start: int) -> None:
        wide_x, wide_y = x.astype(np.float64), y.astype(np.float64)
        differs = (
            _bits(x) != _bits(y)
            if x.dtype == y.dtype
            else (wide_x != wide_y) & ~(np.isnan(wide_x) & np.isnan(wide_y))
        )
        count = int(np.count_nonzero(differs))
        if count and self.first is None:
            self.first = start + int(differs.argmax())
        self.differing += count
        self.nan = _added(self.nan, np.isnan(wide_x), np.isnan(wide_y))
        self.infinite = _added(self.infinite, np.isinf(wide_x), np.isinf(wide_y))
        both = np.isfinite(wide_x) & np.isfinite(wide_y)
        self.left_out += int(both.size - np.count_nonzero(both))
        with np.errstate(over="ignore"):
            apart = np.where(
                both, _apart(x, y, np.where(both, wide_x, 0.0), np.where(both, wide_y, 0.0)), 0.0
            )
        self.max_abs = max(self.max_abs, float(apart.max(initial=0.0)))
        self.difference.add(apart)
        for norm, wide, span in (
            (self.of_a, wide_x, self.ranges[0]),
            (self.of_b, wide_y, self.ranges[1]),
        ):
            finite = wide[both]
            norm.add(finite)
            span[0], span[1] = (
                min(span[0], float(finite.min(initial=math.inf))),
                max(span[1], float(finite.max(initial=-math.inf))),
            )


def _added(counts: tuple[int, int], x: np.ndarray, y: np.ndarray) -> tuple[int, int]:
    return counts[0] + int(np.count_nonzero(x)), counts[1] + int(np.count_nonzero(y))


def _bits(x: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(x).view(f"u{x.dtype.itemsize}")


def _apart(x: np.ndarray, y: np.ndarray, wide_x: np.ndarray, wide_y: np.ndarray) -> np.ndarray:
    """Return |x - y| in float64.

    64-bit integers, which float64 would round, are subtracted before they are converted.
    """
    if x.dtype == y.dtype and x.dtype.kind in "iu" and x.dtype.itemsize == 8:
        larger, smaller = np.maximum(x, y).astype(np.uint64), np.minimum(x, y).astype(np.uint64)
        difference: np.ndarray = (larger - smaller).astype(np.float64)
    else:
        difference = np.abs(wide_x - wide_y)
    return difference


def _correlation(a: np.ndarray, b: np.ndarray, sums: _Sums) -> float | None:
    """Return Pearson's correlation; means and centred products of blocks are merged.

    Source: Chan, Golub and LeVeque 1979.
    """
    (low_a, high_a), (low_b, high_b) = sums.ranges
    if not (low_a < high_a and low_b < high_b):
        return None
    if not sums.differing:
        return 1.0
    count, mean_a, mean_b, square_a, square_b, product = 0, 0.0, 0.0, 0.0, 0.0, 0.0
    scale_a, scale_b = sums.of_a.largest, sums.of_b.largest
    for x, y, _ in _blocks(a, b):
        wide_x, wide_y = x.astype(np.float64), y.astype(np.float64)
        both = np.isfinite(wide_x) & np.isfinite(wide_y)
        u, v = wide_x[both] / scale_a, wide_y[both] / scale_b
        if not u.size:
            continue
        off_a, off_b = float(u.mean()) - mean_a, float(v.mean()) - mean_b
        u, v = u - u.mean(), v - v.mean()
        total = count + u.size
        weight = count * u.size / total
        square_a += float(u @ u) + off_a * off_a * weight
        square_b += float(v @ v) + off_b * off_b * weight
        product += float(u @ v) + off_a * off_b * weight
        mean_a, mean_b, count = (
            mean_a + off_a * u.size / total,
            mean_b + off_b * u.size / total,
            total,
        )
    if square_a == 0 or square_b == 0:  # the squared deviations underflow in float64
        return None
    return min(1.0, max(-1.0, product / (math.sqrt(square_a) * math.sqrt(square_b))))


def smirnov(a: np.ndarray, b: np.ndarray) -> Smirnov | None:
    """Return the two-sample statistic of two tensors of any shapes, or None if one has no numbers."""
    x, y = a.reshape(-1), b.reshape(-1)
    if max(x.size, y.size) > EXACT:
        return _at_edges(x, y)
    x, y = _sorted(x), _sorted(y)
    if not (x.size and y.size):
        return None
    found = max(_gap(x, y, x), _gap(x, y, y))
    return Smirnov(found, found)


def _sorted(x: np.ndarray) -> np.ndarray:
    wide = x.astype(np.float64)
    wide = wide[~np.isnan(wide)]
    wide.sort()
    return wide


def _gap(x: np.ndarray, y: np.ndarray, at: np.ndarray) -> float:
    """Return the largest distance of the distribution functions of sorted numbers at the points
    `at`.
    """
    return float(
        np.abs(
            np.searchsorted(x, at, "right") / x.size - np.searchsorted(y, at, "right") / y.size
        ).max()
    )


def _at_edges(x: np.ndarray, y: np.ndarray) -> Smirnov | None:
    """Return bounds of the statistic from the distribution functions at the edges.

    Between two edges, a function rises by no more than the difference of its values there.
    """
    samples = [_sorted(side[:: max(1, side.size // SAMPLE)]) for side in (x, y)]
    both = np.sort(np.concatenate(samples))
    if not (samples[0].size and samples[1].size):
        return None
    edges = np.unique(both[np.linspace(0, both.size - 1, EDGES).astype(np.int64)])
    (at_x, before_x), (at_y, before_y) = (_cumulative(side, edges) for side in (x, y))
    least = max(float(np.abs(at_x - at_y).max()), float(np.abs(before_x - before_y).max()))
    after_x, after_y = np.concatenate(([0.0], at_x)), np.concatenate(([0.0], at_y))
    end_x, end_y = np.concatenate((before_x, [1.0])), np.concatenate((before_y, [1.0]))
    most = max(float((end_x - after_y).max()), float((end_y - after_x).max()), least)
    return Smirnov(least, most)


def _cumulative(x: np.ndarray, edges: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return for each edge the fractions of the numbers in x that are <= and < the edge."""
    below = np.zeros(edges.size + 1, np.int64)
    equal = np.zeros(edges.size, np.int64)
    for start in range(0, x.size, BLOCK):
        block = x[start : start + BLOCK].astype(np.float64)
        block = block[~np.isnan(block)]
        place = np.searchsorted(edges, block, "left")
        below += np.bincount(place, minlength=edges.size + 1)
        inside = np.minimum(place, edges.size - 1)
        equal += np.bincount(inside[edges[inside] == block], minlength=edges.size)
    total = below.sum()
    at = np.cumsum(below)[:-1] / total
    return at, at - equal / total
