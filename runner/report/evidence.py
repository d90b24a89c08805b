"""What a report is made of: the files of a finished run, and those of a sweep, read and checked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from initlab.engine import formats, laws
from initlab.engine.errors import FormatError, LawError
from initlab.engine.formats import safetensors, sharded
from initlab.engine.laws import Law
from initlab.runner.errors import EvidenceError
from initlab.runner.evidence import manifest
from initlab.runner.evidence.members import NAME as SWEEP
from initlab.runner.evidence.members import Member, read_members
from initlab.runner.evidence.status import Status, conclude, read
from initlab.runner.plan.shards import INDEX

ELEMENTWISE = ("constant", "uniform", "normal", "truncated_normal")
SAMPLE = 1 << 16
"""So many elements of a tensor are read where its statistics have no histogram."""


@dataclass(frozen=True)
class Run:
    """A finished run: its manifest, its statistics, the rows of its plan by path."""

    folder: Path
    manifest: dict[str, Any]
    stats: dict[str, Any]
    plan: dict[str, dict[str, Any]]

    @property
    def parameters(self) -> list[dict[str, Any]]:
        """The rows of the parameters' statistics."""
        return self.stats["parameters"]  # type: ignore[no-any-return]

    @property
    def layers(self) -> list[dict[str, Any]]:
        """What the probe measured, one row a layer call."""
        return [row for row in self.stats.get("layers") or [] if "rms" in row]

    @property
    def gradients(self) -> list[dict[str, Any]]:
        """The gradients' rms by parameter."""
        return self.stats.get("gradients") or []

    def law(self, path: str) -> Law | None:
        """The declared law of a parameter, where it is one that is drawn element by element."""
        described = self.plan.get(path, {}).get("law") or {}
        if described.get("kind") not in ELEMENTWISE:
            return None
        try:
            return laws.from_description(described)
        except (LawError, ValueError):
            return None

    def values(self) -> dict[str, np.ndarray]:
        """The tensors of the snapshot, mapped where the format allows it; none where there is no
        snapshot that can be read.
        """
        name = self.manifest["snapshot"]
        if name is None or Path(name).name != name:
            return {}
        path = self.folder / name
        try:
            if name == INDEX:
                return dict(sharded.open_sharded(path).tensors)
            if path.suffix == ".safetensors":
                return dict(safetensors.open_mapped(path).tensors)
            return dict(formats.get(name).read(path).tensors)
        except (FormatError, OSError, EOFError):
            return {}


def read_run(folder: Path) -> Run:
    """A finished run. EvidenceError for files that are missing or damaged."""
    content = manifest.read(folder)
    stats = _json(folder / "stats.json")
    plan = _json(folder / "plan.json")
    again = "run its config again"
    try:
        rows = {str(row["path"]): row for row in plan["rows"]}
        for row in stats["parameters"]:
            _ = row["path"], row["shape"], row["verdict"]
        for row in stats.get("layers") or []:
            _ = row["path"], float(row.get("rms", 0))
        for row in stats.get("gradients") or []:
            _ = row["path"], float(row["rms"])
        if not isinstance(stats.get("figures") or {}, dict):
            raise TypeError("figures")
    except (KeyError, TypeError, ValueError) as error:
        raise EvidenceError(
            f"{folder / 'stats.json'}: is not as written, it lacks {error} - {again}"
        ) from error
    return Run(folder, content, stats, rows)


def _json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise EvidenceError(f"{path}: is missing - run its config again") from None
    except (OSError, ValueError, RecursionError) as error:
        raise EvidenceError(f"{path}: is damaged ({error}) - run its config again") from error
    if not isinstance(content, dict):
        raise EvidenceError(f"{path}: is damaged, it holds no mapping - run its config again")
    return content


def is_sweep(folder: Path) -> bool:
    """Whether a folder is a sweep's rather than a run's."""
    return (folder / SWEEP).exists()


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
