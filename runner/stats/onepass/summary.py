"""The figures of a tensor that are kept when its elements are gone."""

from __future__ import annotations

import math
import sys
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np

from initlab.engine import dtypes
from initlab.runner.stats.onepass import bins


@dataclass(frozen=True)
class Summary:
    """What one pass over a tensor's elements gives. Moments, extremes and quantiles are those of
    its finite elements.

    Central moments are divided by N. `moments` has the mean and the second to fourth of them in
    units of 2^exponent, so that float64's farthest magnitudes neither overflow nor vanish in a
    fourth power; None where no element is finite.
    """

    dtype: str
    count: int
    zeros: int
    low: float | None
    high: float | None
    exponent: int
    moments: tuple[float, float, float, float] | None
    filled: tuple[tuple[int, int], ...]
    """(bin, elements in it) for the bins that are not empty; `histogram` has all of them."""
    wrong: int | None = None
    """Elements that differ from those the law declares; None where it declares none."""

    @cached_property
    def histogram(self) -> np.ndarray:
        """int64[4096]: how many elements have each value of the top 12 bits."""
        counts = np.zeros(bins.BINS, np.int64)
        for place, count in self.filled:
            counts[place] = count
        return counts

    @property
    def binned(self) -> np.dtype:
        """The float dtype whose bits the histogram counts."""
        return bins.float_dtype(dtypes.resolve(self.dtype))

    @cached_property
    def nonfinite(self) -> int:
        """How many elements are infinite or NaN."""
        return bins.nonfinite(self.histogram, self.binned)

    @property
    def finite(self) -> int:
        """How many elements the moments are of."""
        return self.count - self.nonfinite

    @property
    def subnormal(self) -> int:
        """How many elements are smaller than the smallest normal number, and not zero."""
        return bins.smallest(self.histogram, self.binned) - self.zeros

    def _sized(self, figure: float) -> float:
        """A figure in units of 2^exponent as itself. What only rounding carries beyond the largest
        float64 is that number.
        """
        try:
            return math.ldexp(figure, self.exponent)
        except OverflowError:
            return math.copysign(sys.float_info.max, figure)

    @property
    def mean(self) -> float | None:
        """The mean."""
        return None if self.moments is None else self._sized(self.moments[0])

    @property
    def std(self) -> float | None:
        """The root of the second central moment."""
        return None if self.moments is None else self._sized(math.sqrt(self.moments[1]))

    @property
    def variance(self) -> float | None:
        """The second central moment; infinite where float64 cannot hold it."""
        if self.moments is None or self.std is None:
            return None
        return self.std * self.std if self.exponent else self.moments[1]

    @property
    def rms(self) -> float | None:
        """The root of the mean square."""
        if self.moments is None:
            return None
        mean, second, *_ = self.moments
        return self._sized(math.sqrt(mean * mean + second))

    @property
    def skew(self) -> float | None:
        """The third standardized moment; None without spread."""
        if self.moments is None or self.moments[1] == 0:
            return None
        return self.moments[2] / self.moments[1] / math.sqrt(self.moments[1])

    @property
    def kurtosis(self) -> float | None:
        """The fourth standardized moment less 3; None without spread."""
        if self.moments is None or self.moments[1] == 0:
            return None
        return self.moments[3] / self.moments[1] / self.moments[1] - 3

    @cached_property
    def _cumulative(self) -> np.ndarray:
        """How many elements lie below each of the bins' edges, in ascending order."""
        return np.concatenate([[0], np.cumsum(self.histogram[bins.ascending(self.binned.name)])])

    def borders(self) -> tuple[np.ndarray, np.ndarray]:
        """(finite edges of the bins that are not empty, ascending; how many finite elements lie
        below each).

        An element that equals an edge counts as below it where the edge is negative; a zero counts
        as below zero where it has a sign.
        """
        edges = bins.edges(self.binned.name)
        filled = np.diff(self._cumulative) > 0
        wanted = np.concatenate([filled, [False]]) | np.concatenate([[False], filled])
        wanted &= np.isfinite(edges)
        return edges[wanted], self._cumulative[wanted]

    def bars(self) -> list[tuple[float, float, int]]:
        """(low edge, high edge, elements) of the bins of finite numbers that are not empty,
        ascending.
        """
        edges, counts = bins.edges(self.binned.name), np.diff(self._cumulative)
        return [
            (float(edges[i]), float(edges[i + 1]), int(counts[i])) for i in np.flatnonzero(counts)
        ]

    def quantile(self, probability: float) -> float | None:
        """The quantile, interpolated linearly between order statistics that are taken to be spread
        evenly over their bin.

        Off by no more than the width of a bin. None where no element is finite."""
        if not self.finite:
            return None
        place = probability * (self.finite - 1)
        first = math.floor(place)
        low, high = (
            self._order_statistic(rank) for rank in (first, min(first + 1, self.finite - 1))
        )
        return bins.between(low, high, place - first)

    def _order_statistic(self, rank: int) -> float:
        assert self.low is not None and self.high is not None
        if rank == 0 or rank == self.finite - 1:
            return self.high if rank else self.low
        place = int(np.searchsorted(self._cumulative, rank, side="right")) - 1
        below, above = self._cumulative[place : place + 2].tolist()
        edges = bins.edges(self.binned.name)
        if (
            0.0 in edges[place : place + 2]
            and self.zeros == self.histogram[0] + self.histogram[bins.NEGATIVE]
        ):
            return 0.0
        low, high = max(self.low, float(edges[place])), min(self.high, float(edges[place + 1]))
        return bins.between(low, high, (rank - below + 0.5) / (above - below))

    def to_json(self) -> dict[str, Any]:
        """The figures in JSON's types, from which `from_json` makes an equal summary: Python writes
        floats so that they come back.
        """
        return asdict(self)

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Summary:
        """The summary that `to_json` gave, after a trip through JSON text or without."""
        moments = content["moments"]
        filled = tuple((place, count) for place, count in content["filled"])
        return cls(
            **{**content, "moments": None if moments is None else tuple(moments), "filled": filled}
        )
