"""Does a tensor look like what was declared? Tests of its mean, variance, support and distribution against its law."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine import laws
from runner.stats.base import Statistic, register
from runner.stats.moments import mean_and_variance


def half_spacing(values: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Half the distance to the next number of the dtype: by how much rounding may have moved each value."""
    if dtype == np.float64:
        return np.zeros_like(values)
    digits = {"float16": 10, "bfloat16": 7}.get(dtype.name, 23)
    _, exponent = np.frexp(values)
    return np.ldexp(0.5, np.maximum(exponent, -13 if digits == 10 else -125) - 1 - digits)


MOST_POINTS = 1 << 18
"""How many order statistics the distributions are compared at; leaving out the others can hide 2^-18 of D at most."""


def kolmogorov_smirnov(values: np.ndarray, law: laws.Law) -> tuple[float, float] | None:
    """(D, p) of the one-sample test, less what the rounding to the tensor's dtype explains; None for a law without a cdf.

    p is the two-sided asymptotic value with Stephens' correction of sqrt(N).
    """
    x = np.sort(values.reshape(-1).astype(np.float64))
    n = x.size
    rank = np.arange(1, n + 1) if n <= MOST_POINTS else np.linspace(1, n, MOST_POINTS).astype(np.int64)
    x = x[rank - 1]
    moved = half_spacing(x, values.dtype)
    above, below = law.cdf(x + moved), law.cdf(x - moved)
    if above is None or below is None:
        return None
    d = float(max(0.0, (rank / n - above).max(), (below - (rank - 1) / n).max()))
    root = math.sqrt(n)
    t = (root + 0.12 + 0.11 / root) * d
    if t < 0.2:
        return d, 1.0
    p = 2 * math.fsum((-1) ** (k - 1) * math.exp(-2 * (k * t) ** 2) for k in range(1, 101))
    return d, min(1.0, max(0.0, p))


@register
@dataclass
class Law(Statistic):
    """z_mean, z_var, ks_d, ks_p, bound_ok and the law's invariants; `p` is the smallest p-value, corrected for their number."""

    def measure(self, values: np.ndarray, law: laws.Law) -> dict[str, Any]:
        """The figures; None where the law does not state what is tested."""
        row: dict[str, Any] = dict.fromkeys(("z_mean", "z_var", "ks_d", "ks_p", "bound_ok", "invariants_ok", "p"))
        if values.size == 0:
            return row
        finite = bool(np.isfinite(values.astype(np.float64)).all())
        row["bound_ok"] = finite and self._within(values, law)
        invariants = law.invariants(values)
        row["invariants_ok"] = all(i.ok for i in invariants) if invariants else None
        if not finite or not law.std or law.mean is None:
            return row
        tests = []
        if law.exactness == "bits" and law.kurtosis is not None:  # elements that do not depend on each other
            tests += self._moments(values, law, row)
        tail = kolmogorov_smirnov(values, law)
        if tail is not None:
            row["ks_d"], row["ks_p"] = tail
            tests.append(tail[1])
        row["p"] = min(1.0, len(tests) * min(tests)) if tests else None
        return row

    @staticmethod
    def _within(values: np.ndarray, law: laws.Law) -> bool:
        low, high = (float(np.asarray(bound).astype(values.dtype).astype(np.float64)) for bound in law.support_in(values.dtype))
        wide = values.astype(np.float64)
        return bool(low <= wide.min() and wide.max() <= high)

    @staticmethod
    def _moments(values: np.ndarray, law: laws.Law, row: dict[str, Any]) -> list[float]:
        """Fill in z_mean and z_var; give their p-values.

        z_var is the plain deviate; its p-value takes the sample variance for a scaled chi-square with the degrees of freedom that
        the kurtosis gives it (Wilson and Hilferty's cube root), since small tensors have long tails.
        """
        assert law.mean is not None and law.std and law.kurtosis is not None
        count = values.size
        mean, variance = mean_and_variance(values)
        ratio = (variance + (mean - law.mean) ** 2) / law.std**2
        row["z_mean"] = math.sqrt(count) * (mean - law.mean) / law.std
        row["z_var"] = (ratio - 1) / math.sqrt((law.kurtosis + 2) / count)
        spread = (law.kurtosis + 2) / (9 * count)  # 2 / (9 degrees of freedom)
        return [two_sided(row["z_mean"]), two_sided((ratio ** (1 / 3) - (1 - spread)) / math.sqrt(spread))]


def two_sided(z: float) -> float:
    """The p-value of a standard normal deviate."""
    return math.erfc(abs(z) / math.sqrt(2))
