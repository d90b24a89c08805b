"""Measurement of one tensor while it is drawn block by block, for `runner.run.blocks`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

import numpy as np

from initlab.engine import dtypes
from initlab.engine.arrays import Array
from initlab.engine.device import Device
from initlab.engine.laws import NOWHERE, Law
from initlab.runner.stats import Accumulator, Statistic, is_whole, measure_all, summary_of
from initlab.runner.stats.onepass import cuda


class Measurable(Protocol):
    """A tensor to measure: `shape`, `dtype`, and the `law` it is drawn by. A row of a plan is one."""

    @property
    def law(self) -> Law:
        """The law of its elements."""

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the tensor."""

    @property
    def dtype(self) -> str:
        """The name of its dtype."""


class Meter:
    """Measures the tensor of a row.

    If `needs_whole_tensor` is true, there are no figures.
    """

    def __init__(self, stats: Sequence[Statistic], row: Measurable) -> None:
        self._stats, self._row = stats, row
        self._blocks: Accumulator | None = None
        if stats and not needs_whole_tensor(stats, row):
            size = math.prod(row.shape)
            self._blocks = Accumulator(
                dtypes.resolve(row.dtype),
                size,
                lambda values, start: row.law.wrong_in(values, row.shape, start),
            )

    def add(self, number: int, values: np.ndarray) -> None:
        """Add block `number` and the following ones, given flat."""
        if self._blocks is not None:
            self._blocks.add(number, values)

    def finish(self, values: np.ndarray | None) -> dict[str, object]:
        """Return the figures of every statistic, equal to those of the whole tensor."""
        if self._blocks is None:
            return {}
        row = self._row
        if values is None and not _one_pass(self._stats):
            values = row.law.draw(NOWHERE, row.shape, row.dtype)
        return measure_all(self._stats, row.law, self._blocks.result(), values)


def needs_whole_tensor(stats: Sequence[Statistic], row: Measurable) -> bool:
    """Return whether a tensor can be measured only after it is complete in a file.

    That is so for a large tensor if a statistic needs all values at once, unless its law is not
    random: then it is drawn again.
    """
    whole = is_whole(math.prod(row.shape), row.law) or not row.law.random
    return not whole and not _one_pass(stats)


def _one_pass(stats: Sequence[Statistic]) -> bool:
    return all(statistic.one_pass for statistic in stats)


def measure(
    stats: Sequence[Statistic],
    row: Measurable,
    values: np.ndarray,
    there: tuple[Array, Device] | None = None,
) -> dict[str, object]:
    """Return the figures of a whole tensor, which may be mapped from a file.

    `there` is a raw array with the same values and its device. If that runs kernels, a large tensor
    is summarized there, unless its law declares each element, which is compared on the host.
    """
    if not stats:
        return {}
    summary = None
    if there is not None and row.law.random and not is_whole(values.size, row.law):
        summary = cuda.summarize(*there)
    return measure_all(stats, row.law, summary or summary_of(values, row.law), values)
