"""The statistics of a run: `stats.json`, and its table of parameters as CSV.

  format       "initlab-statistics-2"; version 1 has no `mode` and no rows of containers, and a file
               without a format is of version 1, too
  mode         how the layers behaved when they were measured: `train`, `train with dropout`,
               `predict`; null if none was measured, or each measurement had a mode of its own
  parameters   a row for each tensor: path, shape, law, declared mean and std, every figure, verdict;
               `frozen` is true for one that is not trained, and missing from other rows
  layers       a row for each layer call, from the probe and measurements; a container after the
               layers that it holds
  gradients    a row for each parameter
  training     a row for each epoch or step
  updates      a row for each parameter and step
  figures      single figures by name
  …            further sections, each a list of rows

A figure is a number, or null if there is none. NaN and infinities, which JSON lacks, are the texts
`nan`, `inf` and `-inf`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from initlab.runner.errors import EvidenceError
from initlab.runner.evidence.sound import (
    Sound,
    is_figure,
    is_histogram,
    is_shape,
    is_single,
    is_spread,
    is_text,
    is_truth,
    is_whole,
    or_none,
)
from initlab.runner.evidence.version import check_version
from initlab.runner.excerpt import shortened
from initlab.runner.json_values import JSON

VERSIONS = (1, 2)
LATEST = VERSIONS[-1]
RUN_AGAIN = "run its config again"
ROWS = ("parameters", "layers", "gradients", "training", "updates")
"""Sections of rows that every run has, perhaps empty; a row of a parameter, layer or gradient has a
`path`."""
FIGURES = "figures"
MODE = "mode"
FORMS: dict[str, Sound] = {
    "path": is_text,
    "shape": is_shape,
    "law": or_none(is_text),
    "verdict": is_text,
    "histogram": is_histogram,
    "epoch": is_whole,
    "step": is_whole,
    "kind": is_text,
    "stream": is_truth,
    **dict.fromkeys(("inside", "joins", "input"), or_none(is_text)),
    **dict.fromkeys(("in_rms", "stream_rms", "branch_ratio"), is_spread),
    **dict.fromkeys(("in_mean", "in_variance"), is_figure),
    **dict.fromkeys(("declared_std", "std", "rms", "pre_rms", "max_abs", "count"), is_spread),
    **dict.fromkeys(("declared_mean", "mean", "variance", "min", "max", "zeros"), is_figure),
    **dict.fromkeys(("z_mean", "z_var", "ks_d", "ks_p", "p"), is_figure),
    "frozen": is_truth,
    **dict.fromkeys(("bound_ok", "invariants_ok"), or_none(is_truth)),
    **dict.fromkeys(("rms_ratio", "loss", "accuracy"), is_figure),
    **dict.fromkeys(("gradient_norm", "update_ratio", "test_accuracy"), is_figure),
}
"""The columns of the sections of `ROWS` that are used by name, and the form of each."""

Row = dict[str, Any]
"""Column -> value."""


@dataclass(frozen=True, repr=False)
class Statistics:
    """The statistics of a run, by section."""

    parameters: list[Row]
    layers: list[Row] = field(default_factory=list)
    gradients: list[Row] = field(default_factory=list)
    training: list[Row] = field(default_factory=list)
    updates: list[Row] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)
    sections: dict[str, list[Row]] = field(default_factory=dict)
    """Further sections by name."""
    mode: str | None = None
    """How the layers behaved when they were measured."""
    version: int = LATEST
    """The version of the format."""

    def __repr__(self) -> str:
        said = [f"{name}: {len(rows)}" for name, rows in self.by_name.items() if rows]
        return f"Statistics({shortened(', '.join(said), 120)})"

    @property
    def by_name(self) -> dict[str, Any]:
        """Every section by name, in the order of the file: `figures` is a mapping, the others are
        rows.
        """
        return {
            **{name: getattr(self, name) for name in ROWS},
            FIGURES: self.figures,
            **self.sections,
        }

    @cached_property
    def of_path(self) -> dict[str, Row]:
        """The row of each parameter by its path."""
        return {row["path"]: row for row in self.parameters}

    @property
    def off(self) -> list[str]:
        """The paths of the parameters whose verdict is that they differ from their declaration."""
        return [row["path"] for row in self.parameters if row["verdict"] == "off"]

    @property
    def columns(self) -> list[str]:
        """The columns of the table of parameters; figures that are lists are only in the JSON."""
        cells = (item for row in self.parameters for item in row.items())
        return list(
            dict.fromkeys(
                name for name, value in cells if name == "shape" or not isinstance(value, list)
            )
        )

    def table(self) -> Iterable[Row]:
        """Return the rows of the table of parameters, with shapes as text."""
        return ({**row, "shape": shape_text(row["shape"])} for row in self.parameters)

    def to_json(self) -> dict[str, JSON]:
        """Return the content of the file; `from_json` restores the statistics."""
        return {
            "format": f"initlab-statistics-{self.version}",
            **({} if self.version == 1 else {MODE: self.mode}),
            **self.by_name,
        }

    @classmethod
    def from_json(cls, content: object, place: Path) -> Statistics:
        """Return the statistics from the content of the file at `place`.

        Raises EvidenceError if it is of a newer version or damaged.
        """
        if not isinstance(content, dict):
            raise EvidenceError(f"{place}: is damaged, it holds no mapping - {RUN_AGAIN}")
        sections = dict(content)
        version, mode = 1, None
        if isinstance(content.get("format"), str):
            found = sections.pop("format")
            version = check_version(place, found, "statistics", VERSIONS, RUN_AGAIN)
        damaged = f"{place}: is not as written,"
        if version > 1:
            mode = sections.pop(MODE, None)
        try:
            parameters = sections.pop("parameters")
            given = {name: sections.pop(name, None) or [] for name in ROWS[1:]}
            figures = sections.pop(FIGURES, None) or {}
            _check(parameters, "parameters", "path", "shape", "verdict")
            _check(given["layers"], "layers", "path")
            _check(given["gradients"], "gradients", "path")
            for name, rows in {**given, **sections}.items():
                _check(rows, name)
            if not isinstance(figures, dict):
                raise TypeError(FIGURES)
        except (KeyError, TypeError) as error:
            raise EvidenceError(f"{damaged} it lacks {error} - {RUN_AGAIN}") from error
        wrong = [] if mode is None or is_text(mode) else [MODE]
        wrong += [f"figures.{name}" for name, value in figures.items() if not is_single(value)]
        for section, rows in {"parameters": parameters, **given}.items():
            wrong += _wrong(rows, section)
        if wrong:
            raise EvidenceError(
                f"{damaged} {shortened(wrong[0])} has a value of another type - {RUN_AGAIN}"
            )
        return cls(
            parameters, **given, figures=figures, sections=sections, mode=mode, version=version
        )


def is_row(value: object) -> bool:
    """Return whether this is a row whose figures have the form of their columns."""
    return isinstance(value, dict) and not _wrong([value], "")


def _check(rows: object, section: str, *columns: str) -> None:
    """Raise TypeError unless these are rows, and KeyError unless each has the columns."""
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise TypeError(f"rows in {section}")
    for row in rows:
        for column in columns:
            _ = row[column]


def _wrong(rows: list[Row], section: str) -> list[str]:
    """Return the places of the values that do not have the form of their column."""
    return [
        f"{section}[{number}].{column}"
        for number, row in enumerate(rows)
        for column, value in row.items()
        if column in FORMS and not FORMS[column](value)
    ]


def shape_text(shape: Iterable[int]) -> str:
    """Return `256x20`, or `scalar` if there are no axes."""
    return "x".join(str(size) for size in shape) or "scalar"


def mode_text(mode: str) -> str:
    """Return how layers behaved, in words: `train mode: statistics of the batch, no dropout`."""
    if mode == "predict":
        return "predict mode: running statistics, no dropout"
    return f"train mode: statistics of the batch, {'with' if 'dropout' in mode else 'no'} dropout"
