"""Statistics as an earlier version of initlab wrote them, from those of today.

Version 1 had no rows of containers and of the layers inside a `transformer_block`, fewer columns,
and its ratios divided by the row above instead of by what enters the layer.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from itertools import pairwise

from initlab.runner.evidence.statistics import Row, Statistics
from initlab.runner.json_values import finite

ABOVE = (("rms_ratio", "rms"), ("pre_rms_ratio", "pre_rms"))
"""Columns of version 1, and the column whose value was divided by that of the row above."""


def as_before(found: Statistics, recorded: Statistics) -> Statistics:
    """Return statistics of today in the form of recorded ones, whatever their version."""
    if recorded.version != 1:
        return found
    columns = {str(row["path"]): row.keys() for row in recorded.layers}
    rows = [
        {name: value for name, value in row.items() if name in columns[row["path"]]}
        for row in found.layers
        if row["path"] in columns
    ]
    return dataclasses.replace(found, layers=_by_neighbours(rows), mode=None, version=1)


def _by_neighbours(rows: Sequence[Row]) -> list[Row]:
    """Return rows whose ratios are over those of the row above, or of gradients below."""
    made = [dict(row) for row in rows]
    for ratio, column in ABOVE:
        for before, row in pairwise([{}, *made]):
            if ratio in row:
                row[ratio] = _over(row, before, column)
    for row, after in pairwise([*made, {}]):
        if "grad_ratio" in row:
            row["grad_ratio"] = _over(row, after, "grad_rms")
            row["chi1"] = None if row["grad_ratio"] is None else row["grad_ratio"] ** 2
    return made


def _over(row: Row, other: Row, column: str) -> float | None:
    value, by = row.get(column), finite(other.get(column))
    return value / by if value is not None and by is not None and by > 0 else None
