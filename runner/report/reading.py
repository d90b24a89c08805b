"""The data of reports: a finished run with what charts need, and the runs of a name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from initlab.engine import laws
from initlab.engine.errors import LawError
from initlab.engine.laws import Law
from initlab.runner.errors import EvidenceError
from initlab.runner.evidence.diagnosed import Diagnosis
from initlab.runner.evidence.folder import RunFolder
from initlab.runner.evidence.manifest import Manifest
from initlab.runner.evidence.members import Member
from initlab.runner.evidence.named import NamedRun, named
from initlab.runner.evidence.statistics import Statistics
from initlab.runner.evidence.status import COMPLETED, Status

HYDRA = ".hydra/hydra.yaml"
"""The file of a sweep's folder with its `hydra` node."""
ELEMENTWISE = ("constant", "uniform", "normal", "truncated_normal")
SAMPLE = 1 << 16
"""Elements of a tensor read for a histogram if its statistics have none."""


@dataclass(frozen=True)
class RunData:
    """A finished run: its manifest, its statistics, the rows of its plan by path, and its diagnosis,
    None if it made none.
    """

    folder: RunFolder
    manifest: Manifest
    stats: Statistics
    plan: dict[str, dict[str, Any]]
    diagnosis: Diagnosis | None

    @cached_property
    def layers(self) -> list[dict[str, Any]]:
        """The probe's figures, one row for each layer call."""
        return [row for row in self.stats.layers if "rms" in row]

    @cached_property
    def trunk(self) -> list[dict[str, Any]]:
        """The rows of `layers` that are not inside a container with a row of its own: the signal from
        the input to the output.
        """
        return [row for row in self.layers if not row.get("inside")]

    def law(self, path: str) -> Law | None:
        """Return the declared law of a parameter if it is drawn element by element, else None."""
        described = self.plan.get(path, {}).get("law") or {}
        if described.get("kind") not in ELEMENTWISE:
            return None
        try:
            return laws.from_description(described)
        except (LawError, ValueError, OverflowError):
            return None

    def values(self) -> Mapping[str, np.ndarray]:
        """The tensors of the snapshot; empty if there is none that can be read."""
        try:
            return self.folder.snapshot or {}
        except EvidenceError:
            return {}


def read_run(path: Path) -> RunData:
    """Read a finished run. Raises EvidenceError if files are missing or damaged."""
    folder = RunFolder(path)
    run = RunData(folder, folder.manifest, folder.stats, folder.plan, folder.diagnosis)
    for number, row in enumerate(run.stats.gradients):
        if "rms" not in row:
            raise EvidenceError(
                f"{path}: its statistics are not as written, they lack gradients[{number}].rms - "
                "run its config again"
            )
    return run


@dataclass(frozen=True)
class SweepRun:
    """One run of a name: which sweep listed it, its status and its results, or the reason why they
    cannot be read.
    """

    named: NamedRun
    status: Status
    run: RunData | None
    trouble: str | None

    @property
    def member(self) -> Member:
        """The run's name and words."""
        return self.named.member


class SweepData:
    """The runs of a name, read one after the other, so that few are in memory at once."""

    def __init__(self, folder: Path, over: bool = False, last: bool = False) -> None:
        """Open the folder of a name; `over` says that its last sweep has ended, so that no run of it
        can be running, `last` that only that sweep's runs are wanted.

        Raises EvidenceError if its list of runs cannot be read, or has none though `last` wants them.
        """
        self.folder = folder
        found = named(folder)
        self.named = replace(found, runs=found.last) if last else found
        if last and not found.last:
            raise EvidenceError(f"{folder}: no sweep was run into this folder - leave out --last")
        self._over = over

    @property
    def largest(self) -> bool:
        """Whether the largest objective is the best one: only if the sweep was a search that says so."""
        try:
            settings = yaml.safe_load((self.folder / HYDRA).read_text("utf-8"))
            return str(settings["hydra"]["sweeper"]["direction"]) == "maximize"
        except (OSError, ValueError, yaml.YAMLError, KeyError, TypeError):
            return False

    def entries(self) -> Iterator[SweepRun]:
        """Yield every run, those of the last sweep first and in its order."""
        for one in self.named.runs:
            status = one.status(RunFolder(one.folder), self._over)
            run, trouble = None, status.error
            if status.state == COMPLETED:
                try:
                    run = read_run(one.folder)
                except EvidenceError as error:
                    trouble = str(error)
            yield SweepRun(one, status, run, trouble)
