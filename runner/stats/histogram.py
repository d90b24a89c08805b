"""The distribution of a tensor's values: quantiles, and counts in bins whose width grows with the
value.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

import numpy as np

from initlab.engine.laws import Law
from initlab.engine.options import Rule, within
from initlab.runner.stats.base import OnePass, register
from initlab.runner.stats.onepass import Summary, quantiles

listed = Rule("be a list of probabilities", lambda value: isinstance(value, (list, tuple)))
Probability = Annotated[float, Rule("be a probability, between 0 and 1", within(0, 1).fits)]


def _usual() -> list[float]:
    return [0.001, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 0.999]


@register
@dataclass
class Histogram(OnePass):
    """Quantiles of each tensor, a column `q0.5` for each probability, and `histogram`: [low edge,
    high edge, count] of each non-empty bin.

    A quantile is off by at most the width of a bin.

    Example: initlab stats=[histogram] stats.histogram.quantiles=[0.25,0.5,0.75]
    """

    quantiles: Annotated[list[Probability], listed] = field(default_factory=_usual)
    """The probabilities."""
    exact: bool = False
    """Whether quantiles are interpolated linearly between order statistics like numpy.quantile; the
    tensor must then be in memory or in a file.
    """

    @property
    def one_pass(self) -> bool:
        return not self.exact

    @property
    def gives(self) -> tuple[str, ...]:
        return (*(f"q{q}" for q in self.quantiles), "histogram")

    def measure_summary(
        self, summary: Summary, law: Law, values: np.ndarray | None
    ) -> dict[str, object]:
        """Return the figures of the finite elements; quantiles are None if there are none."""
        if self.exact:
            assert values is not None
            found = quantiles(values, summary, self.quantiles)
        else:
            found = [summary.quantile(q) for q in self.quantiles]
        columns: dict[str, object] = {
            f"q{q}": value for q, value in zip(self.quantiles, found, strict=True)
        }
        return columns | {"histogram": [list(bar) for bar in summary.bars()]}
