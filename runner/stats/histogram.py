"""How a tensor's values are spread: quantiles, and counts in bins that are finer the smaller the
values.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from initlab.engine.errors import OptionError
from initlab.engine.laws import Law
from initlab.runner.stats.base import OnePass, register
from initlab.runner.stats.onepass import Summary, quantiles


def _usual() -> list[float]:
    return [0.001, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 0.999]


@register
@dataclass
class Histogram(OnePass):
    """A column `q0.5` for each probability, and `histogram`: [low edge, high edge, elements] for
    each bin that is not empty.

    The quantiles are off by a bin's width at most; with `exact` they are interpolated linearly
    between order statistics, as `numpy.quantile` does, for which a tensor must be in memory or in a
    file.
    """

    quantiles: list[float] = field(default_factory=_usual)
    exact: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.quantiles, (list, tuple)):
            raise OptionError(
                "quantiles", f"must be a list of probabilities, got {self.quantiles!r}"
            )
        for i, q in enumerate(self.quantiles):
            if (
                isinstance(q, bool)
                or not isinstance(q, (int, float))
                or not 0 <= q <= 1
                or math.isnan(q)
            ):
                raise OptionError(
                    f"quantiles[{i}]", f"must be a probability, between 0 and 1, got {q!r}"
                )
        if not isinstance(self.exact, bool):
            raise OptionError("exact", f"must be true or false, got {self.exact!r}")

    @property
    def one_pass(self) -> bool:
        return not self.exact

    def measure_summary(
        self, summary: Summary, law: Law, values: np.ndarray | None
    ) -> dict[str, Any]:
        """The figures of the finite elements; the quantiles are None where there are none."""
        if self.exact:
            assert values is not None
            found = quantiles(values, summary, self.quantiles)
        else:
            found = [summary.quantile(q) for q in self.quantiles]
        columns: dict[str, Any] = {
            f"q{q}": value for q, value in zip(self.quantiles, found, strict=True)
        }
        return columns | {"histogram": [list(bar) for bar in summary.bars()]}
