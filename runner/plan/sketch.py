"""A sketch of a run's `stats.json`, made before the run.

The plan names the parameters, the network the layers, and every statistic, probe and measurement
declares its columns.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from initlab.runner.figures.unknown import ANYTHING, NUMBER, Open, Rows
from initlab.runner.measures import Measure
from initlab.runner.plan.row import Row
from initlab.runner.probes import Probe
from initlab.runner.stats import Statistic

OF_A_PROBE = ("layers", "gradients", "training", "updates", "figures")
"""Sections that every run has; they are empty if nothing measures them."""
DECLARED = ("shape", "law", "declared_mean", "declared_std", "verdict")
"""Columns that every parameter has, beside `path` and those of statistics."""
NOT_NUMBERS = ("path", "shape", "law", "verdict", "histogram")
"""Columns of texts and lists."""


def sketch(
    parameters: Iterable[Row],
    layers: Sequence[str],
    probe: Probe,
    measures: Collection[Measure],
    statistics: Iterable[Statistic],
) -> dict[str, object]:
    """Return the sections of `stats.json` with a placeholder for each value (see
    `figures.unknown`).

    `layers` are the paths of layers that contain no other. A probe or measurement without a
    declaration in `gives` may give any column.
    """
    sections: dict[str, object] = {name: {} if name == "figures" else [] for name in OF_A_PROBE}
    columns: dict[str, dict[str, object]] = {}
    sources: list[Probe | Measure] = [probe, *measures]
    for source in sources:
        for name, names in source.gives.items():
            known = columns.get(name, {})
            kind = dict if names and not isinstance(known, Open) else Open
            columns[name] = kind(known | _row(names))
    for name, row in columns.items():
        sections[name] = _section(name, row, layers)
    if probe.gives is Probe.gives:
        sections |= dict.fromkeys(OF_A_PROBE, ANYTHING)
    if any(measure.gives is Measure.gives for measure in measures):
        sections = Open(dict.fromkeys(sections, ANYTHING))
    row = _row(DECLARED)
    for statistic in statistics:
        row = Open(row) if statistic.gives is None else type(row)(row | _row(statistic.gives))
    sections["parameters"] = [_named(one.path, row) for one in parameters]
    return sections


def _row(names: Iterable[str]) -> dict[str, object]:
    return {name: ANYTHING if name in NOT_NUMBERS else NUMBER for name in names}


def _section(name: str, row: dict[str, object], layers: Sequence[str]) -> object:
    if name == "figures":
        return row
    return [_named(path, row) for path in layers] if name == "layers" else Rows(row)


def _named(path: str, row: dict[str, object]) -> dict[str, object]:
    return type(row)({**row, "path": path})
