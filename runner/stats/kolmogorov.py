"""The Kolmogorov-Smirnov test of a tensor against its declared law.

The distance D is the largest one between the fraction of elements up to x and the law's
distribution function at x. It is evaluated at the elements; sorting all of them and computing the
law's function at each would take most of a run's time. So both are bounded first, and done where
the bound is as large as what was found.
"""

from __future__ import annotations

import math

import numpy as np

from initlab.engine import laws
from initlab.runner.stats.buckets import Buckets
from initlab.runner.stats.onepass import Summary


def half_spacing(values: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Return half the distance to the next number of the dtype: the largest error of rounding a
    value.
    """
    if dtype.name == "float64":
        return np.zeros_like(values)
    digits = {"float16": 10, "bfloat16": 7}.get(dtype.name, 23)
    smallest = -13 if digits == 10 else -125
    _, exponent = np.frexp(values)
    exponent = np.where(values == 0, smallest, exponent)
    found: np.ndarray = np.ldexp(0.5, np.maximum(exponent, smallest) - 1 - digits)
    return found


MOST_POINTS = 1 << 18
"""Order statistics at which the distributions are compared at most; leaving out the others can
change D by 2^-18 at most.
"""


BUCKETS = 1 << 16
"""Equal parts of the range of a large tensor, into which its elements are counted."""
SORTED_WHOLE = 1 << 16
"""Elements up to which a tensor is sorted whole."""
FEWER = (32, 8, 1)
"""Buckets for which a bound is taken together: fewer and fewer, where the bound is large enough."""
STRIDE = 32
"""Points for which a bound is taken together."""
ROUNDING = 1e-9
"""By more than this a computed cdf never falls."""
LEFT_OUT = 2.0**-16
"""By less than this D changes if the order statistics beyond `MOST_POINTS` are left out."""


def _at_values(values: np.ndarray, law: laws.Law) -> float | None:
    """Return the Kolmogorov-Smirnov distance D of a tensor, evaluated at its own values."""
    if law.cdf(np.zeros(1)) is None:
        return None
    n, narrow = values.size, values.dtype.itemsize <= 2 or values.dtype == np.float32
    flat = np.require(values.reshape(-1), np.float32 if narrow else np.float64, ["C", "A"])
    x, rank = _in_order(flat, law, values.dtype)
    if n > MOST_POINTS:
        compared = _is_compared(rank, n)
        x, rank = x[compared], rank[compared]
    return _distance(x.astype(np.float64), rank / n, (rank - 1) / n, values.dtype, law)


def _is_compared(rank: np.ndarray, n: int) -> np.ndarray:
    """Return which of the ranks are among `np.linspace(1, n, MOST_POINTS)`, rounded down."""
    step = (n - 1) / (MOST_POINTS - 1)
    nearest = np.ceil((rank - 1) / step)
    found: np.ndarray = rank == n
    for point in (nearest - 1, nearest, nearest + 1):
        found |= ((point * step + 1).astype(np.int64) == rank) & (point < MOST_POINTS - 1)
    return found


def _in_order(flat: np.ndarray, law: laws.Law, dtype: np.dtype) -> tuple[np.ndarray, np.ndarray]:
    """Return (elements in order, their ranks from 1), the one with the largest distance among them.

    The elements of a large tensor are counted in buckets; those of a bucket whose distances are
    smaller than one at an edge of buckets are not sorted.
    """
    low, high = float(flat.min()), float(flat.max())
    if flat.size <= SORTED_WHOLE or not 1e-30 < (high - low) / BUCKETS < 1e30:
        return np.sort(flat), np.arange(1, flat.size + 1)
    buckets = Buckets(flat, low, high, BUCKETS)
    counts = buckets.count()
    below = np.zeros(BUCKETS + 1, np.int64)
    np.cumsum(counts, out=below[1:])
    # In float32, a rounded element is at most a hundredth of a bucket away from where it belongs.
    room = buckets.width / 20 + float(half_spacing(np.array(max(-low, high)), dtype))
    kept = _buckets_of_largest(below, buckets, room, law)
    held = counts[kept]
    x = np.sort(buckets.pick(kept, int(held.sum())))
    before = below[:-1][kept] - (np.cumsum(held) - held)
    return x, np.arange(1, x.size + 1) + np.repeat(before, held)


def _buckets_of_largest(
    below: np.ndarray, buckets: Buckets, room: float, law: laws.Law
) -> np.ndarray:
    """Return which buckets may hold the element with the largest distance, as booleans.

    `below` is the number of elements under each edge. An element of a bucket lies between its
    edges, give or take `room`. At an edge, the distance of the nearest element is at least what is
    found with the edge moved by `room`; between two edges it is at most that from one function at
    the second to the other at the first. First this is done for many buckets together.
    """
    reached, together, starts = 0.0, len(below) - 1, np.zeros(1, np.int64)
    for fewer in FEWER:
        places = starts[:, None] + np.arange(0, together + 1, fewer)
        here, edges = below[places] / below[-1], buckets.edges(places)
        least, most = (law.cdf(edges + moved) for moved in (-room, room))
        assert least is not None and most is not None
        reached = max(reached, float((here - most).max()), float((least - here).max()))
        bounds = np.maximum(here[:, 1:] - least[:, :-1], most[:, 1:] - here[:, :-1])
        starts, together = places[:, :-1][bounds >= reached - LEFT_OUT], fewer
    kept = np.zeros(len(below) - 1, bool)
    kept[starts] = True
    return kept


def _at_edges(summary: Summary, law: laws.Law) -> float | None:
    """Return D evaluated at the edges of the summary's bins.

    It is at most the D at the values: it reports no difference that is not there, but misses a
    difference within a bin.
    """
    edges, below = summary.borders()
    return _distance(edges, below / summary.count, below / summary.count, summary.binned, law)


def _distance(
    x: np.ndarray, upto: np.ndarray, before: np.ndarray, dtype: np.dtype, law: laws.Law
) -> float | None:
    """Return the largest distance between empirical and declared distribution function at the
    points x, which rise; None if the law has no cdf.

    `upto` and `before` are the fractions of elements <= x and < x. The part that rounding to
    `dtype` explains is subtracted. The law's cdf, which takes most of the time, is computed at every
    `STRIDE`-th point first. All functions rise, so between two of these points the distance is at most
    that from one function at the second to the other at the first; it is computed where that is more
    than what was found.
    """
    some = np.append(np.arange(0, x.size - 1, STRIDE), x.size - 1)
    found = _cdf_around(x[some], dtype, law)
    if found is None:
        return None
    above, below = found
    largest = max(0.0, (upto[some] - above).max(), (below - before[some]).max())
    bound = np.maximum(upto[some[1:]] - above[:-1], below[1:] - before[some[:-1]])
    starts = some[:-1][bound > largest - ROUNDING]
    between = (starts[:, None] + np.arange(1, STRIDE)).reshape(-1)
    between = between[between < x.size - 1]
    if between.size:
        rest = _cdf_around(x[between], dtype, law)
        assert rest is not None
        largest = max(largest, (upto[between] - rest[0]).max(), (rest[1] - before[between]).max())
    return float(largest)


def _cdf_around(
    x: np.ndarray, dtype: np.dtype, law: laws.Law
) -> tuple[np.ndarray, np.ndarray] | None:
    """Return the law's cdf half a spacing of the dtype above and below x; None if it has none."""
    moved = half_spacing(x, dtype)
    above, below = law.cdf(x + moved), law.cdf(x - moved)
    return None if above is None or below is None else (above, below)


def kolmogorov_smirnov(
    summary: Summary, law: laws.Law, values: np.ndarray | None
) -> tuple[float, float] | None:
    """Return (D, p) of the one-sample test, or None if the law has no cdf.

    D is evaluated at the values if given, else at the edges of bins, less what rounding to the
    tensor's dtype explains. p is the two-sided asymptotic value with Stephens' correction of
    sqrt(N).
    """
    d = _at_edges(summary, law) if values is None else _at_values(values, law)
    if d is None:
        return None
    root = math.sqrt(summary.count)
    t = (root + 0.12 + 0.11 / root) * d
    if t < 0.2:
        return d, 1.0
    p = 2 * math.fsum((-1) ** (k - 1) * math.exp(-2 * (k * t) ** 2) for k in range(1, 101))
    return d, min(1.0, max(0.0, p))
