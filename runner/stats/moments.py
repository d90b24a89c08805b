"""Moments and extremes of a tensor."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from initlab.engine.laws import Law
from initlab.runner.stats.base import OnePass, register
from initlab.runner.stats.onepass import Summary

COLUMNS = (
    *("count", "zeros", "nonfinite", "subnormal", "mean", "std", "rms", "skew", "kurtosis"),
    *("min", "max", "abs_max"),
)


@register
@dataclass
class Moments(OnePass):
    """Mean, std, rms, skew, excess kurtosis, min, max, largest magnitude, and counts of zero,
    non-finite and subnormal elements of each tensor.

    Example: initlab stats=[moments]
    """

    @property
    def gives(self) -> tuple[str, ...]:
        return COLUMNS

    def measure_summary(
        self, summary: Summary, law: Law, values: np.ndarray | None
    ) -> dict[str, object]:
        """Return all figures, over the finite elements.

        They are None if there are none, and skew and kurtosis also if all elements are equal.
        """
        low, high = summary.low, summary.high
        return {
            "count": summary.count,
            "zeros": summary.zeros,
            "nonfinite": summary.nonfinite,
            "subnormal": summary.subnormal,
            "mean": summary.mean,
            "std": summary.std,
            "rms": summary.rms,
            "skew": summary.skew,
            "kurtosis": summary.kurtosis,
            "min": low,
            "max": high,
            "abs_max": None if low is None or high is None else max(abs(low), abs(high)),
        }
