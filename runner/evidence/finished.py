"""A finished run, as it is read from Python: what it was, what was measured, and its first values."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from initlab.engine.registry import advice
from initlab.runner.errors import EvidenceError
from initlab.runner.evidence.folder import RunFolder
from initlab.runner.evidence.manifest import Manifest
from initlab.runner.evidence.statistics import Statistics, shape_text
from initlab.runner.excerpt import MOST, Excerpt
from initlab.runner.numbers import number

COLUMNS = ("path", "shape", "law", "std", "verdict")


class Run:
    """A finished run: `run[path]` is a parameter's first values, `len(run)` how many paths there are,
    iteration gives the paths, those of tied parameters last.

    Files are read when they are asked for. EvidenceError where one is missing, damaged or of a newer
    version.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._folder = RunFolder(Path(path))

    @property
    def path(self) -> Path:
        """The run's folder."""
        return self._folder.path

    @property
    def manifest(self) -> Manifest:
        """What the run says of itself: id, config, digests, versions."""
        return self._folder.manifest

    @property
    def config(self) -> dict[str, Any]:
        """The resolved config, as plain mappings and lists."""
        return self._folder.config

    @property
    def stats(self) -> Statistics:
        """What was measured: `parameters`, `layers` and the like, each a list of rows. A number that is
        not finite is a text there: `nan`, `inf`, `-inf`.
        """
        return self._folder.stats

    @property
    def figures(self) -> dict[str, float | None]:
        """The single figures of the probe by name, as `loss`; None where one was not measured."""
        return {name: number(value) for name, value in self.stats.figures.items()}

    def __getitem__(self, path: str) -> np.ndarray:
        """The first values of a parameter, mapped from the snapshot where its format allows it: they
        are read when they are touched, and a change to them reaches no file. A tied parameter has its
        owner's.

        KeyError with the nearest path; EvidenceError where the run kept no snapshot.
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
    """The finished run in a folder, outputs/<name>/<run id>. EvidenceError where none is: no such
    folder, no manifest, or a damaged one.
    """
    run = Run(path)
    _ = run.manifest
    return run


def figure_text(value: object) -> str:
    """A figure in few digits; a text as it is."""
    if value is None:
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
