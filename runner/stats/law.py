"""Tests of a tensor against its declared law: mean, variance, support and distribution."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from initlab.engine import dtypes, laws
from initlab.runner.stats.base import WHOLE, OnePass, register
from initlab.runner.stats.kolmogorov import kolmogorov_smirnov
from initlab.runner.stats.onepass import Summary

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
