"""Base classes of statistics: dataclasses that measure a parameter's first values and return one
row of figures.

  Statistic   `measure(values, law)`: needs all values at once
  OnePass     `measure_summary(summary, law, values)`: needs one pass over the elements, so a large
              tensor is never in memory as a whole
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from initlab.engine.laws import Law
from initlab.engine.registry import Registry
from initlab.runner.kinds import Kind, registrar
from initlab.runner.stats.onepass import Summary, summarize

REGISTRY: Registry[type[Statistic]] = Registry("statistic", __package__)
WHOLE = 1 << 20
"""Elements of a tensor up to which every statistic receives its values as well as its summary.
"""


@dataclass
class Statistic(Kind):
    """Base class of statistics."""

    @property
    def one_pass(self) -> bool:
        """Whether a summary suffices for a tensor of more than `WHOLE` elements."""
        return False

    @property
    def gives(self) -> tuple[str, ...] | None:
        """The columns that `measure` fills, or None if they are not known in advance."""
        return None

    def measure(self, values: np.ndarray, law: Law) -> dict[str, object]:
        """Return {column: figure} for values, of any dtype and shape, that were drawn from `law`.

        Figures must be JSON types.
        """
        raise NotImplementedError(f"statistic '{self.kind}' defines no measure")


@dataclass
class OnePass(Statistic):
    """Base class of statistics for which a summary suffices."""

    @property
    def one_pass(self) -> bool:
        return True

    def measure_summary(
        self, summary: Summary, law: Law, values: np.ndarray | None
    ) -> dict[str, object]:
        """Return {column: figure}.

        `values` is None for a large tensor that is drawn in slices (see `is_whole`). A statistic
        that needs the values then sets `one_pass` to False and always receives them.
        """
        raise NotImplementedError(f"statistic '{self.kind}' defines no measure_summary")

    def measure(self, values: np.ndarray, law: Law) -> dict[str, object]:
        """Summarize the values and return the figures."""
        return measure_all([self], law, summary_of(values, law), values)


def is_whole(size: int, law: Law) -> bool:
    """Return whether every statistic receives a tensor's values.

    It does if the tensor has at most `WHOLE` elements or its law cannot be drawn in slices.
    """
    return size <= WHOLE or not law.sliceable


def summary_of(values: np.ndarray, law: Law) -> Summary:
    """Summarize a whole tensor; its elements are also compared with what the law declares."""
    return summarize(values, wrong=lambda part, start: law.wrong_in(part, values.shape, start))


def measure_all(
    statistics: Iterable[Statistic], law: Law, summary: Summary, values: np.ndarray | None
) -> dict[str, object]:
    """Return the row of figures of several statistics.

    A large tensor gives the same figures whether its values are given or None. Raises ValueError if
    a statistic needs values that are not given.
    """
    row: dict[str, object] = {}
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
"""Registers a dataclass derived from `Statistic` under its snake-case name."""
