"""What is measured of a parameter's first values: a dataclass that gives one row of figures.

Statistic   `measure(values, law)`: looks at the values as it likes
OnePass     `measure_summary(summary, law, values)`: needs no more than one pass over the elements, so
            that a tensor is never in memory as a whole
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from initlab.engine.laws import Law
from initlab.engine.registry import Registry
from initlab.runner.kinds import Kind, registrar
from initlab.runner.stats.onepass import Summary, summarize

REGISTRY: Registry[type[Statistic]] = Registry("statistic")
WHOLE = 1 << 20
"""Elements of a tensor up to which its values are handed on beside its summary, however they are
made.
"""


@dataclass
class Statistic(Kind):
    """Base of all statistics."""

    @property
    def one_pass(self) -> bool:
        """Whether a summary is enough for a tensor of more than `WHOLE` elements."""
        return False

    @property
    def gives(self) -> tuple[str, ...] | None:
        """The columns that `measure` fills; None where they are not known before."""
        return None

    def measure(self, values: np.ndarray, law: Law) -> dict[str, Any]:
        """Column -> figure, for values of any dtype and shape that were drawn from `law`. JSON
        types only.
        """
        raise NotImplementedError(f"statistic '{self.kind}' defines no measure")


@dataclass
class OnePass(Statistic):
    """Base of the statistics that a summary is enough for."""

    @property
    def one_pass(self) -> bool:
        return True

    def measure_summary(
        self, summary: Summary, law: Law, values: np.ndarray | None
    ) -> dict[str, Any]:
        """Column -> figure. `values` is None where `is_whole` denies them, unless `one_pass` is
        false, and only then.
        """
        raise NotImplementedError(f"statistic '{self.kind}' defines no measure_summary")

    def measure(self, values: np.ndarray, law: Law) -> dict[str, Any]:
        """The figures from a summary made for the purpose."""
        return measure_all([self], law, summary_of(values, law), values)


def is_whole(size: int, law: Law) -> bool:
    """Whether a tensor's values are at hand for every statistic: small ones, and those that are
    drawn whole or not at all.
    """
    return size <= WHOLE or not law.sliceable


def summary_of(values: np.ndarray, law: Law) -> Summary:
    """The summary of a whole tensor, compared on the way with what its law declares."""
    return summarize(values, wrong=lambda part, start: law.wrong_in(part, values.shape, start))


def measure_all(
    statistics: Iterable[Statistic], law: Law, summary: Summary, values: np.ndarray | None
) -> dict[str, Any]:
    """The row of figures of several statistics, the same whether a large tensor's values are given
    or, since it was streamed, None.

    ValueError where a statistic needs values that are not given.
    """
    row: dict[str, Any] = {}
    for statistic in statistics:
        needed = not statistic.one_pass or is_whole(summary.count, law)
        if needed and values is None:
            raise ValueError(
                f"statistic '{statistic.kind}' needs the values of all {summary.count} elements at once"
            )
        if isinstance(statistic, OnePass):
            row |= statistic.measure_summary(summary, law, values if needed else None)
        else:
            assert values is not None
            row |= statistic.measure(values, law)
    return row


register = registrar(REGISTRY, Statistic)
"""Makes a dataclass derived from `Statistic` a statistic under its snake-case name."""
