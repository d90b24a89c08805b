"""Tests of a tensor against its declared law: mean, variance, support and distribution."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from initlab.engine import dtypes, laws
from initlab.runner.stats.base import WHOLE, OnePass, register
from initlab.runner.stats.onepass import Summary


def half_spacing(values: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Return half the distance to the next number of the dtype: the largest error of rounding a
    value.
    """
    if dtype == np.float64:
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


def _at_values(values: np.ndarray, law: laws.Law) -> float | None:
    """Return the Kolmogorov-Smirnov distance D of a tensor, evaluated at its own values."""
    flat = values.reshape(-1)
    # In the type of the values: half as many bytes to sort.
    x = np.sort(flat.astype(np.float32) if flat.dtype.itemsize == 2 else flat)
    n = x.size
    rank = (
        np.arange(1, n + 1) if n <= MOST_POINTS else np.linspace(1, n, MOST_POINTS).astype(np.int64)
    )
    x = x[rank - 1].astype(np.float64)
    return _distance(x, rank / n, (rank - 1) / n, values.dtype, law)


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
    some = np.unique(np.append(np.arange(0, x.size, STRIDE), x.size - 1))
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


STRIDE = 32
ROUNDING = 1e-9
"""By more than this a computed cdf never falls."""


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


COLUMNS = ("z_mean", "z_var", "ks_d", "ks_p", "bound_ok", "invariants_ok", "p")


@register
@dataclass
class Law(OnePass):
    """Tests of each tensor against its declared law: the columns z_mean, z_var, ks_d, ks_p,
    bound_ok and the invariants of the law.

    `p` is the smallest p-value, corrected for the number of tests.

    Source: Kolmogorov 1933 and Smirnov 1948, for ks_d and ks_p.

    Example: initlab stats=[law] init=he
    """

    @property
    def gives(self) -> tuple[str, ...]:
        return COLUMNS

    def measure_summary(
        self, summary: Summary, law: laws.Law, values: np.ndarray | None
    ) -> dict[str, object]:
        """Return the figures; a figure is None if the law does not state what it tests."""
        row: dict[str, object] = dict.fromkeys(COLUMNS)
        if summary.count == 0:
            return row
        row["bound_ok"] = summary.nonfinite == 0 and self._within(summary, law)
        row["invariants_ok"] = self._invariants(summary, law, values)
        if summary.nonfinite or not law.std or law.mean is None:
            return row
        tests = []
        # These laws draw independent elements.
        if law.exactness == "bits" and law.kurtosis is not None:
            tests += self._moments(summary, law, row)
        tail = kolmogorov_smirnov(summary, law, values if summary.count <= WHOLE else None)
        if tail is not None:
            row["ks_d"], row["ks_p"] = tail
            tests.append(tail[1])
        row["p"] = min(1.0, len(tests) * min(tests)) if tests else None
        return row

    @staticmethod
    def _within(summary: Summary, law: laws.Law) -> bool:
        dtype = dtypes.resolve(summary.dtype)
        low, high = (
            float(np.asarray(bound).astype(dtype).astype(summary.binned))
            for bound in law.support_in(dtype)
        )
        assert summary.low is not None and summary.high is not None
        return low <= summary.low and summary.high <= high

    @staticmethod
    def _invariants(summary: Summary, law: laws.Law, values: np.ndarray | None) -> bool | None:
        if summary.wrong is not None:
            return summary.wrong == 0
        invariants = law.invariants(values) if values is not None else []
        return all(i.ok for i in invariants) if invariants else None

    @staticmethod
    def _moments(summary: Summary, law: laws.Law, row: dict[str, Any]) -> list[float]:
        """Fill in z_mean and z_var; return their p-values.

        z_var is the plain deviate. Its p-value treats the sample variance as a scaled chi-square
        with the degrees of freedom that follow from the kurtosis (Wilson and Hilferty's cube root),
        since small tensors have long tails.
        """
        assert law.mean is not None and law.std and law.kurtosis is not None
        assert summary.mean is not None and summary.variance is not None
        count = summary.count
        deviate = (summary.mean - law.mean) / law.std
        ratio = summary.variance / law.std**2 + deviate * deviate
        row["z_mean"] = math.sqrt(count) * deviate
        row["z_var"] = (ratio - 1) / math.sqrt((law.kurtosis + 2) / count)
        spread = (law.kurtosis + 2) / (9 * count)  # 2 / (9 degrees of freedom)
        return [
            two_sided(row["z_mean"]),
            two_sided((ratio ** (1 / 3) - (1 - spread)) / math.sqrt(spread)),
        ]


def two_sided(z: float) -> float:
    """Return the two-sided p-value of a standard normal deviate."""
    return math.erfc(abs(z) / math.sqrt(2))
