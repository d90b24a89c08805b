"""What a report is made of: a finished run, checked for what charts need, and the runs of a sweep."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from initlab.engine import laws
from initlab.engine.errors import LawError
from initlab.engine.laws import Law
from initlab.runner.errors import EvidenceError
from initlab.runner.evidence.folder import RunFolder
from initlab.runner.evidence.manifest import Manifest
from initlab.runner.evidence.members import Member, read_members
from initlab.runner.evidence.statistics import Statistics
from initlab.runner.evidence.status import Status, conclude, read

ELEMENTWISE = ("constant", "uniform", "normal", "truncated_normal")
SAMPLE = 1 << 16
"""So many elements of a tensor are read where its statistics have no histogram."""


@dataclass(frozen=True)
class Run:
    """A finished run: its manifest, its statistics, the rows of its plan by path."""

    folder: RunFolder
    manifest: Manifest
    stats: Statistics
    plan: dict[str, dict[str, Any]]

    @cached_property
    def layers(self) -> list[dict[str, Any]]:
        """What the probe measured, one row a layer call."""
        return [row for row in self.stats.layers if "rms" in row]

    def law(self, path: str) -> Law | None:
        """The declared law of a parameter, where it is one that is drawn element by element."""
        described = self.plan.get(path, {}).get("law") or {}
        if described.get("kind") not in ELEMENTWISE:
            return None
        try:
            return laws.from_description(described)
        except (LawError, ValueError):
            return None

    def values(self) -> Mapping[str, np.ndarray]:
        """The tensors of the snapshot; none where there is no snapshot that can be read."""
        try:
            return self.folder.snapshot or {}
        except EvidenceError:
            return {}


def read_run(path: Path) -> Run:
    """A finished run. EvidenceError for files that are missing or damaged."""
    folder = RunFolder(path)
    run = Run(folder, folder.manifest, folder.stats, folder.plan)
    try:
        for row in run.stats.layers:
            float(row.get("rms", 0))
        for row in run.stats.gradients:
            float(row["rms"])
    except (KeyError, TypeError, ValueError) as error:
        raise EvidenceError(
            f"{path}: its statistics are not as written, they lack {error} - run its config again"
        ) from error
    return run


@dataclass(frozen=True)
class Entry:
    """One run of a sweep: how it ended, and what it left, or why that cannot be read."""

    member: Member
    status: Status
    run: Run | None
    trouble: str | None


class Sweep:
    """A sweep's runs, read one after the other: many are not held at once."""

    def __init__(self, folder: Path, over: bool = False) -> None:
        """`over` where the sweep has ended, so that none of its runs can be running."""
        self.folder = folder
        self.members = read_members(folder)
        self._over = over

    def place(self, member: Member) -> Path:
        """Where a run lies: beside the list that names it, wherever that was moved, or where it was
        written.
        """
        beside = self.folder / member.run_id
        return beside if beside.is_dir() else Path(member.folder)

    def entries(self) -> Iterator[Entry]:
        """Every run in the order of the sweep."""
        for member in self.members:
            folder = self.place(member)
            status = conclude(folder) if self._over else read(folder)
            run, trouble = None, status.error
            if status.state == "completed":
                try:
                    run = read_run(folder)
                except EvidenceError as error:
                    trouble = str(error)
            yield Entry(member, status, run, trouble)
