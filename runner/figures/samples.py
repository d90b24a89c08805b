"""Numbers of a run with their names, and the reductions that make one number from several."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Sample:
    """Numbers and their names (`layers['body.3.fc']`).

    `single` is true if the expression names one number by itself.
    """

    values: np.ndarray
    names: tuple[str, ...]
    single: bool

    def map(self, function: Callable[[np.ndarray], np.ndarray]) -> Sample:
        """Apply a function to every number."""
        return Sample(function(self.values), self.names, self.single)


def log(x: np.ndarray) -> np.ndarray:
    """Return the natural logarithm, without a warning: -inf for 0, NaN for negative numbers."""
    with np.errstate(all="ignore"):
        found: np.ndarray = np.log(x)
        return found


SAMPLES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "mean": lambda x: x,
    "log_mean": log,
    "mean_square": np.square,
}
"""Reductions that are a mean of a function of each value, so that each value may count as a sample.
"""
REDUCTIONS: dict[str, Callable[[np.ndarray], float]] = {
    **{name: lambda x, f=f: float(np.mean(f(x))) for name, f in SAMPLES.items()},  # type: ignore[misc]
    "std": lambda x: float(np.std(x)),
    "variance": lambda x: float(np.var(x)),
    "median": lambda x: float(np.median(x)),
    "min": lambda x: float(np.min(x)),
    "max": lambda x: float(np.max(x)),
    "sum": lambda x: float(np.sum(x)),
}
"""Reductions: functions that make one number from several."""


def reduced(name: str, sample: Sample) -> Sample:
    """Return the result of a reduction.

    If a value is not finite, it is NaN, with the name of the first such value.
    """
    bad = ~np.isfinite(SAMPLES[name](sample.values) if name in SAMPLES else sample.values)
    if bad.any():
        return Sample(np.array([np.nan]), (sample.names[int(np.argmax(bad))],), True)
    return Sample(np.array([REDUCTIONS[name](sample.values)]), ("",), True)
