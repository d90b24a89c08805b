"""The content of a finished run's folder in the forms that trackers need: parameters, metrics,
series, a table, histograms, pictures.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from initlab.runner.evidence.manifest import Manifest
from initlab.runner.evidence.run_ids import same_run
from initlab.runner.evidence.statistics import Statistics
from initlab.runner.flat import flatten
from initlab.runner.json_values import number

TABLE = ("path", "declared_std", "std", "z", "verdict")
"""The columns of the table of parameters. `z` is the deviation of the measured from the declared
variance in standard errors.
"""

INDEX = re.compile(r"\[(\d+)\]")


@dataclass(frozen=True)
class Series:
    """One figure along an axis.

    For example `layers/rms` along `depth`, `training/loss` along `epoch` or `step`, `gradients/rms`
    along `parameter`.
    """

    name: str
    axis: str
    steps: list[int]
    values: list[float]


@dataclass(frozen=True)
class Spread:
    """A histogram, with the moments of the values: `counts[i]` values lie from `edges[i]` to
    `edges[i + 1]`.
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
    """A finished run: its manifest, its statistics, a digest of both, pictures of it, and the name
    of the experiment it is tracked under.
    """

    name: str
    manifest: Manifest
    stats: Statistics
    digest: str = ""
    """It changes with any measured value."""
    pictures: tuple[Picture, ...] = ()
    folder: str = ""
    """The name of its folder."""

    @property
    def run_id(self) -> str:
        """The run's id, which is the same for the same config: the name of its folder, which may have
        another label than the manifest, if it is named by an id.
        """
        found = self.manifest.run_id
        return self.folder if same_run(self.folder, found) else found

    @property
    def overrides(self) -> list[str]:
        """The words that started the run."""
        return self.manifest.overrides

    @property
    def tags(self) -> dict[str, str]:
        """The tags by which a run is found: what it is, and what was said of it, as far as anything
        was.
        """
        config, came = self.manifest.config, self.manifest.provenance
        listed = config.get("tags")
        said = {
            "initlab.tags": ",".join(map(str, listed)) if isinstance(listed, list) else "",
            "initlab.note": config.get("note"),
            "initlab.git.commit": came.git.commit if came is not None and came.git else None,
        }
        return {
            "initlab.run_id": self.run_id,
            "initlab.root": self.manifest.digests.root,
            "initlab.overrides": " ".join(self.overrides),
            "initlab.evidence": self.digest,
        } | {name: str(value) for name, value in said.items() if value}

    @cached_property
    def params(self) -> dict[str, object]:
        """The resolved config as a flat mapping: `init.kind`, `model.layers.0.units`."""
        return flat(self.manifest.config)

    @cached_property
    def metrics(self) -> dict[str, float]:
        """The run's single figures: those of the probe, the plan's totals, time and memory."""
        parts = {
            "figures": self.stats.figures,
            "totals": self.manifest.totals,
            "run": {
                "seconds": self.manifest.seconds,
                "peak_memory_bytes": self.manifest.peak_memory_bytes,
            },
        }
        found = (
            (f"{part}/{key}", number(value))
            for part, figures in parts.items()
            for key, value in flat(figures).items()
        )
        return {name: value for name, value in found if value is not None}

    @cached_property
    def series(self) -> list[Series]:
        """The figures along depth, epochs or steps, and parameters. A figure without any value has
        no series. Depth counts layers from the input to the output, not those inside a container
        with a row of its own.
        """
        training = self.stats.training
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
        rows = [row for row in self.stats.by_name[part] if not row.get("inside")]
        found = [(int(row.get(axis, i)), number(row.get(column))) for i, row in enumerate(rows)]
        points = [(step, value) for step, value in found if value is not None]
        return Series(
            f"{part}/{column}", axis, [step for step, _ in points], [value for _, value in points]
        )

    @cached_property
    def table(self) -> list[list[object]]:
        """Return one row for each parameter, with the columns `TABLE`."""
        return [
            [row.get("z_var" if column == "z" else column) for column in TABLE]
            for row in self.stats.parameters
        ]

    @cached_property
    def spreads(self) -> dict[str, Spread]:
        """{path: histogram} of the parameters measured by the histogram statistic."""
        return {row["path"]: spread(row) for row in self.stats.parameters if row.get("histogram")}


def spread(row: dict[str, Any]) -> Spread:
    """Return the histogram in a row of stats.json, with empty bins for gaps between its bars."""
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


def flat(value: Any) -> dict[str, Any]:
    """Return the leaves of mappings and lists by dotted key.

    Trackers allow no brackets in a name, so an entry of a list is written `.0`.
    """
    return {INDEX.sub(r".\1", key): leaf for key, leaf in flatten(value).items()}
