"""Summary: the figures of a tensor that are kept after its elements are gone."""

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
    """The result of one pass over a tensor's elements.

    Moments, extremes and quantiles are those of the finite elements. Central moments are divided by
    N. `moments` holds the mean and the second to fourth central moments in units of powers of
    2^exponent, so that the fourth power of a large or small float64 neither overflows nor
    underflows; it is None if no element is finite.
    """

    dtype: str
    count: int
    zeros: int
    low: float | None
    high: float | None
    exponent: int
    moments: tuple[float, float, float, float] | None
    filled: tuple[tuple[int, int], ...]
    """(bin, count) of the non-empty bins; `histogram` has all bins."""
    wrong: int | None = None
    """Number of elements that differ from what the law declares; None if it declares no values."""

    @cached_property
    def histogram(self) -> np.ndarray:
        """int64[4096]: the number of elements for each value of the top 12 bits."""
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
        """The number of infinite and NaN elements."""
        return bins.nonfinite(self.histogram, self.binned)

    @property
    def finite(self) -> int:
        """The number of finite elements."""
        return self.count - self.nonfinite

    @property
    def subnormal(self) -> int:
        """The number of elements that are not zero but smaller than the smallest normal number."""
        return bins.smallest(self.histogram, self.binned) - self.zeros

    def _sized(self, figure: float) -> float:
        """Convert a figure in units of 2^exponent to a float.

        If only rounding moves it beyond the largest float64, it becomes that number.
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
        """The square root of the second central moment."""
        return None if self.moments is None else self._sized(math.sqrt(self.moments[1]))

    @property
    def variance(self) -> float | None:
        """The second central moment; infinite if it exceeds float64."""
        if self.moments is None or self.std is None:
            return None
        return self.std * self.std if self.exponent else self.moments[1]

    @property
    def rms(self) -> float | None:
        """The root mean square."""
        if self.moments is None:
            return None
        mean, second, *_ = self.moments
        return self._sized(math.sqrt(mean * mean + second))

    @property
    def skew(self) -> float | None:
        """The third standardized moment; None if all elements are equal."""
        if self.moments is None or self.moments[1] == 0:
            return None
        return self.moments[2] / self.moments[1] / math.sqrt(self.moments[1])

    @property
    def kurtosis(self) -> float | None:
        """The fourth standardized moment minus 3; None if all elements are equal."""
        if self.moments is None or self.moments[1] == 0:
            return None
        return self.moments[3] / self.moments[1] / self.moments[1] - 3

    @cached_property
    def _cumulative(self) -> np.ndarray:
        """The number of elements below each edge of the bins, in ascending order."""
        return np.concatenate([[0], np.cumsum(self.histogram[bins.ascending(self.binned.name)])])

    def borders(self) -> tuple[np.ndarray, np.ndarray]:
        """Return (finite edges of the non-empty bins, ascending; number of finite elements below
        each).

        An element equal to a negative edge counts as below it; a negative zero counts as below
        zero.
        """
        edges = bins.edges(self.binned.name)
        filled = np.diff(self._cumulative) > 0
        wanted = np.concatenate([filled, [False]]) | np.concatenate([[False], filled])
        wanted &= np.isfinite(edges)
        return edges[wanted], self._cumulative[wanted]

    def bars(self) -> list[tuple[float, float, int]]:
        """Return (low edge, high edge, count) of the non-empty bins of finite numbers, ascending."""
        edges, counts = bins.edges(self.binned.name), np.diff(self._cumulative)
        return [
            (float(edges[i]), float(edges[i + 1]), int(counts[i])) for i in np.flatnonzero(counts)
        ]

    def quantile(self, probability: float) -> float | None:
        """Return a quantile, or None if no element is finite.

        It is interpolated linearly between order statistics, which are assumed to be spread evenly
        over their bin; it is off by at most the width of the bin.
        """
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

    def to_json(self) -> dict[str, object]:
        """Return the figures as JSON types. `from_json` restores an equal summary."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Summary:
        """Return the summary from the result of `to_json`, which may have been written as JSON
        text.
        """
        moments = content["moments"]
        filled = tuple((place, count) for place, count in content["filled"])
        return cls(
            **{**content, "moments": None if moments is None else tuple(moments), "filled": filled}
        )
