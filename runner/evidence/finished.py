"""A run read from Python: its state, manifest, config, statistics and first values."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from initlab.engine.registry import advice
from initlab.runner.errors import EvidenceError
from initlab.runner.evidence.diagnosed import Diagnosis
from initlab.runner.evidence.folder import RunFolder
from initlab.runner.evidence.manifest import Manifest
from initlab.runner.evidence.record import Record, record_in
from initlab.runner.evidence.statistics import Statistics, shape_text
from initlab.runner.excerpt import MOST, Excerpt
from initlab.runner.json_values import JSON, number

COLUMNS = ("path", "shape", "law", "std", "verdict")


class Run:
    """A run: `run[path]` is a parameter's first values, if it is finished.

    `len(run)` is the number of paths; iteration yields the paths, those of tied parameters last.
    Files are read on access. Raises EvidenceError if one is missing, as those of a run that did not
    finish, damaged or of a newer version.
    """

    def __init__(self, path: str | os.PathLike[str], record: Record | None = None) -> None:
        self._folder = RunFolder(Path(path).absolute())
        self._record = record

    @property
    def path(self) -> Path:
        """The run's folder, an absolute path."""
        return self._folder.path

    @cached_property
    def facts(self) -> dict[str, JSON]:
        """What lists show of the run, as of then: `state`, `when`, `error`, `tags`, …
        (docs/runs.md in the source has all).
        """
        return (self._record or record_in(self.path)).facts

    @property
    def state(self) -> str:
        """`finished`, `failed`, `running`, …: how the run ended, or where it stands."""
        return str(self.facts["state"])

    @property
    def manifest(self) -> Manifest:
        """The manifest: id, config, digests, versions."""
        return self._folder.manifest

    @property
    def config(self) -> dict[str, Any]:
        """The resolved config, as plain mappings and lists."""
        return self._folder.config

    @property
    def stats(self) -> Statistics:
        """The statistics: sections like `parameters` and `layers`, each a list of rows.

        A number that is not finite is a text: `nan`, `inf`, `-inf`.
        """
        return self._folder.stats

    @property
    def figures(self) -> dict[str, float | None]:
        """The single figures of the probe by name, like `loss`; None for one that was not measured."""
        return {name: number(value) for name, value in self.stats.figures.items()}

    @property
    def diagnosis(self) -> Diagnosis | None:
        """What was found before the first step that is known to hurt, worst first: `findings`,
        `severity`, `headline`. None if the run made no diagnosis.
        """
        return self._folder.diagnosis

    def __getitem__(self, path: str) -> np.ndarray:
        """Return the first values of a parameter; a tied parameter has its owner's.

        They are mapped from the snapshot if its format allows it: read on access, and changes are
        not written to the file. Raises KeyError with the nearest path, and EvidenceError if the run
        kept no snapshot.
        """
        if path not in self:
            raise KeyError(f"no parameter '{path}' - {advice(path, self)}")
        if self._folder.snapshot is None:
            raise EvidenceError(
                f"{self.path}: the run kept no snapshot - run it with snapshot=safetensors, or draw the "
                "values from its declaration's plan"
            )
        return self._folder.snapshot[path]

    def __contains__(self, path: object) -> bool:
        return path in self.manifest.digests.tensors or path in self.manifest.aliases

    def __iter__(self) -> Iterator[str]:
        yield from self.manifest.digests.tensors
        yield from self.manifest.aliases

    def __len__(self) -> int:
        return len(self.manifest.digests.tensors) + len(self.manifest.aliases)

    def __repr__(self) -> str:
        return self._excerpt().text()

    def _repr_html_(self) -> str:
        return self._excerpt().html()

    def _excerpt(self) -> Excerpt:
        rows = [
            (
                row["path"],
                shape_text(row["shape"]),
                str(row.get("law", "")),
                figure_text(row.get("std")),
                row["verdict"],
            )
            for row in islice(self.stats.parameters, MOST)
        ]
        title = f"{self.manifest.run_id}: root {self.manifest.digests.root[:16]}"
        return Excerpt(title, COLUMNS, rows, len(self.stats.parameters))


def load(path: str | os.PathLike[str]) -> Run:
    """Return the finished run in a folder, outputs/<name>/<run id>.

    Raises EvidenceError if there is no such folder, no manifest, or a damaged one.
    """
    if path == "":
        raise EvidenceError("'': no such folder - give the folder of a finished run")
    run = Run(path)
    _ = run.manifest
    return run


def figure_text(value: object) -> str:
    """Return a figure in few digits; a text is returned unchanged."""
    if value is None:
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
