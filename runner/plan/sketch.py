"""A sketch of a run's `stats.json`, made before the run.

The plan names the parameters, the network the layers, and every statistic, probe and measurement
declares its columns.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from initlab.runner.figures.unknown import (
    ANYTHING,
    MEASURED,
    NUMBER,
    TEXT,
    YES_OR_NO,
    Open,
    Rows,
)
from initlab.runner.measures import Measure
from initlab.runner.plan.row import Row
from initlab.runner.probes import Probe
from initlab.runner.stats import Statistic

OF_A_PROBE = ("layers", "gradients", "training", "updates", "figures")
"""Sections that every run has; they are empty if nothing measures them."""
DECLARED = ("shape", "law", "declared_mean", "declared_std", "verdict")
"""Columns that every parameter has, beside `path` and those of statistics."""
NOT_NUMBERS = ("path", "shape", "law", "verdict", "histogram")
"""Columns that are texts or lists, where we measure them, and may be in a section of a plugin."""
KINDS: dict[str, dict[str, object]] = {
    "parameters": {
        "law": TEXT,
        "verdict": TEXT,
        "bound_ok": YES_OR_NO,
        "invariants_ok": YES_OR_NO,
        "histogram": Rows(Rows(NUMBER, numbered=True), numbered=True),
    },
    "layers": {
        "shape": Rows(NUMBER, numbered=True),
        **dict.fromkeys(("kind", "inside", "joins", "input"), TEXT),
        "stream": YES_OR_NO,
        **dict.fromkeys(("mean", "variance", "rms", "zeros"), MEASURED),
    },
}
"""What the columns of a section are; those left out are numbers, or null in some rows."""


def sketch(
    parameters: Iterable[Row],
    layers: Mapping[str, tuple[int, ...] | None],
    probe: Probe,
    measures: Collection[Measure],
    statistics: Iterable[Statistic],
) -> dict[str, object]:
    """Return the sections of `stats.json` with a placeholder for each value (see
    `figures.unknown`).

    `layers` are the output shapes of the layers that are measured, by their paths; None if not
    known. A probe or measurement without a declaration in `gives` may give any column.
    """
    sections: dict[str, object] = {name: {} if name == "figures" else [] for name in OF_A_PROBE}
    columns: dict[str, dict[str, object]] = {}
    sources: list[Probe | Measure] = [probe, *measures]
    for source in sources:
        for name, names in source.gives.items():
            known = columns.get(name, {})
            kind = dict if names and not isinstance(known, Open) else Open
            columns[name] = kind(known | _row(name, names))
    for name, row in columns.items():
        sections[name] = _section(name, row, layers)
    if probe.gives is Probe.gives:
        sections |= dict.fromkeys(OF_A_PROBE, ANYTHING)
    if any(measure.gives is Measure.gives for measure in measures):
        sections = Open(dict.fromkeys(sections, ANYTHING))
    row = _row("parameters", DECLARED)
    for statistic in statistics:
        known = Open(row) if statistic.gives is None else row
        row = type(known)(known | _row("parameters", statistic.gives or ()))
    sections["parameters"] = [
        _named(one.path, one.shape, type(row)({**row, "frozen": YES_OR_NO}) if one.frozen else row)
        for one in parameters
    ]
    return sections


def _row(section: str, names: Iterable[str]) -> dict[str, object]:
    kinds = KINDS.get(section, {})
    return {name: kinds.get(name, ANYTHING if name in NOT_NUMBERS else NUMBER) for name in names}


def _section(
    name: str, row: dict[str, object], layers: Mapping[str, tuple[int, ...] | None]
) -> object:
    if name == "figures":
        return row
    return [_named(*layer, row) for layer in layers.items()] if name == "layers" else Rows(row)


def _named(path: str, shape: tuple[int, ...] | None, row: dict[str, object]) -> dict[str, object]:
    known = {"shape": list(shape)} if shape is not None and "shape" in row else {}
    return type(row)({**row, **known, "path": path})
