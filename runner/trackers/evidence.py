"""What a finished run's folder holds, in the shapes that trackers take: parameters, metrics,
series, a table, histograms, pictures.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

TABLE = ("path", "declared_std", "std", "z", "verdict")
"""The columns of the table of parameters. `z` is how many standard errors the measured variance is
off the declared one.
"""


@dataclass(frozen=True)
class Series:
    """One figure along an axis: `layers/rms` along `depth`, `training/loss` along `epoch` or
    `step`, `gradients/rms` along `parameter`.
    """

    name: str
    axis: str
    steps: list[int]
    values: list[float]


@dataclass(frozen=True)
class Spread:
    """A histogram: `counts[i]` values lie from `edges[i]` to `edges[i + 1]`. With the moments of
    the values themselves.
    """

    edges: list[float]
    counts: list[int]
    mean: float
    rms: float


@dataclass(frozen=True)
class Picture:
    """A chart as PNG."""

    name: str
    title: str
    png: bytes
    description: str = ""


@dataclass(frozen=True)
class Evidence:
    """A finished run: its manifest, the content of its stats.json, pictures of it, and the name of
    the experiment it is tracked under.
    """

    name: str
    manifest: dict[str, Any]
    stats: dict[str, Any]
    pictures: tuple[Picture, ...] = ()

    @property
    def run_id(self) -> str:
        """The run's id, the same for the same config."""
        return str(self.manifest["run_id"])

    @property
    def overrides(self) -> list[str]:
        """The words the run was started with."""
        return [
            str(line).removeprefix("- ")
            for line in self.manifest.get("overrides", [])
            if str(line) != "[]"
        ]

    @property
    def tags(self) -> dict[str, str]:
        """What a run is found by. `initlab.evidence` changes with anything that was measured, and
        with nothing else.
        """
        content = json.dumps([self.manifest, self.stats], sort_keys=True)
        return {
            "initlab.run_id": self.run_id,
            "initlab.root": str(self.manifest["digests"]["root"]),
            "initlab.overrides": " ".join(self.overrides),
            "initlab.evidence": hashlib.sha256(content.encode()).hexdigest(),
        }

    @cached_property
    def params(self) -> dict[str, Any]:
        """The resolved config, flat: `init.kind`, `model.layers.0.units`."""
        return dict(flat(self.manifest["config"]))

    @cached_property
    def metrics(self) -> dict[str, float]:
        """The run's single figures: what the probe measured, the plan's totals, time and memory."""
        parts = {
            "figures": self.stats.get("figures") or {},
            "totals": self.manifest.get("totals") or {},
            "run": {key: self.manifest.get(key) for key in ("seconds", "peak_memory_bytes")},
        }
        return {
            f"{part}/{key}": float(value)
            for part, figures in parts.items()
            for key, value in flat(figures)
            if is_figure(value)
        }

    @cached_property
    def series(self) -> list[Series]:
        """The figures along depth, epochs or steps, and parameters; a figure that is nowhere given
        has no series.
        """
        training = self.stats.get("training") or []
        columns = list(
            dict.fromkeys(key for row in training for key in row if key not in ("epoch", "step"))
        )
        unit = "step" if training and "step" in training[0] else "epoch"
        wanted = [
            ("layers", "depth", "rms"),
            ("gradients", "parameter", "rms"),
            ("gradients", "parameter", "max_abs"),
        ]
        found = [
            self._series(part, axis, column)
            for part, axis, column in [*wanted, *(("training", unit, c) for c in columns)]
        ]
        return [series for series in found if series.steps]

    def _series(self, part: str, axis: str, column: str) -> Series:
        rows = self.stats.get(part) or []
        points = [
            (int(row.get(axis, i)), float(row[column]))
            for i, row in enumerate(rows)
            if is_figure(row.get(column))
        ]
        return Series(
            f"{part}/{column}", axis, [step for step, _ in points], [value for _, value in points]
        )

    @cached_property
    def table(self) -> list[list[Any]]:
        """One row a parameter, of the columns `TABLE`."""
        return [
            [row.get("z_var" if column == "z" else column) for column in TABLE]
            for row in self.stats["parameters"]
        ]

    @cached_property
    def spreads(self) -> dict[str, Spread]:
        """Path -> histogram, of the parameters that the histogram statistic was measured of."""
        return {
            row["path"]: spread(row) for row in self.stats["parameters"] if row.get("histogram")
        }


def spread(row: dict[str, Any]) -> Spread:
    """The histogram of a row of stats.json, with empty bins where its bars leave gaps."""
    edges: list[float] = []
    counts: list[int] = []
    for low, high, count in row["histogram"]:
        if not edges:
            edges.append(float(low))
        elif low > edges[-1]:
            edges.append(float(low))
            counts.append(0)
        edges.append(float(high))
        counts.append(int(count))
    return Spread(edges, counts, float(row.get("mean") or 0.0), float(row.get("rms") or 0.0))


def flat(value: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The leaves of mappings and lists, each with its dotted path; an empty one is a leaf."""
    items = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    if not items:
        yield prefix, value
    for key, item in items:
        yield from flat(item, f"{prefix}.{key}" if prefix else str(key))


def is_figure(value: Any) -> bool:
    """Whether stats.json holds a number here; NaN and infinity stand there as text."""
    return (isinstance(value, (int, float)) and not isinstance(value, bool)) or value in (
        "nan",
        "inf",
        "-inf",
    )


def read(
    folder: Path, manifest: dict[str, Any], name: str, pictures: tuple[Picture, ...]
) -> Evidence:
    """The evidence in a finished run's folder. OSError or ValueError for a stats.json that cannot
    be read.
    """
    return Evidence(
        name, manifest, json.loads((folder / "stats.json").read_text(encoding="utf-8")), pictures
    )
