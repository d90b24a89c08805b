"""Moments and extremes of a tensor, in float64 over fixed blocks, so that the figures are the same for any thread count."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.laws import Law
from runner.stats.base import Statistic, register

BLOCK = 1 << 16


def blocks(values: np.ndarray) -> Iterator[np.ndarray]:
    """The elements in C order as float64, in pieces of 64K."""
    flat = values.reshape(-1)
    for start in range(0, flat.size, BLOCK):
        yield flat[start : start + BLOCK].astype(np.float64)


def block_sum(values: np.ndarray, term: Callable[[np.ndarray], np.ndarray]) -> float:
    """The sum of `term` over all elements: NumPy within a block, `math.fsum` over the blocks in order."""
    return math.fsum(float(term(block).sum()) for block in blocks(values))


def mean_and_variance(values: np.ndarray) -> tuple[float, float]:
    """The mean and the second central moment (divided by N)."""
    mean = block_sum(values, lambda x: x) / values.size
    return mean, block_sum(values, lambda x: np.square(x - mean)) / values.size


@register
@dataclass
class Moments(Statistic):
    """mean, std, rms, skew, excess kurtosis, min, max, largest magnitude, and counts of zeros, non-finite and subnormal elements."""

    def measure(self, values: np.ndarray, law: Law) -> dict[str, Any]:
        """All figures over the finite elements; None where there are none (or, for skew and kurtosis, no spread)."""
        flat = values.reshape(-1)
        wide_enough = flat if flat.dtype.kind == "f" else flat.astype(np.float32)
        finite = wide_enough[np.isfinite(wide_enough)]
        row: dict[str, Any] = {
            "count": int(flat.size),
            "zeros": int((finite == 0).sum()),
            "nonfinite": int(flat.size - finite.size),
            "subnormal": int(((finite != 0) & (np.abs(finite) < smallest_normal(flat.dtype))).sum()),
        }
        names = ("mean", "std", "rms", "skew", "kurtosis", "min", "max", "abs_max")
        return row | (self._figures(finite) if finite.size else dict.fromkeys(names))

    @staticmethod
    def _figures(finite: np.ndarray) -> dict[str, float | None]:
        mean, variance = mean_and_variance(finite)
        std = math.sqrt(variance)
        spread = variance > 0
        low, high = float(finite.min()), float(finite.max())
        return {
            "mean": mean,
            "std": std,
            "rms": math.sqrt(block_sum(finite, np.square) / finite.size),
            "skew": block_sum(finite, lambda x: ((x - mean) / std) ** 3) / finite.size if spread else None,
            "kurtosis": block_sum(finite, lambda x: ((x - mean) / std) ** 4) / finite.size - 3 if spread else None,
            "min": low,
            "max": high,
            "abs_max": max(abs(low), abs(high)),
        }


def smallest_normal(dtype: np.dtype) -> float:
    """The smallest positive normal number of a float dtype."""
    return float(np.finfo(dtype).smallest_normal) if dtype.kind == "f" else 2.0**-126
