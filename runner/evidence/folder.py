"""RunFolder: a run's folder, and the only code that reads or writes it.

.hydra/          the config as composed, and the words as typed
plan.json        one row for each parameter, before any value
snapshot.*       the first values; in parts model-00001-of-00004.safetensors and an index
stats.json       the measured figures; stats.csv has its table of parameters
diagnosis.json   what is known to hurt, found before the first step
runner.log       the log, and a failure with its traceback
manifest.json    written last: a folder that has one holds a finished run
report.html      the run's report, if wanted
status.json      the progress of a run of a sweep (`runner.evidence.status`)
snapshot.journal, snapshot.*.partial     an unfinished streamed run (`runner.evidence.journal`)
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from initlab.engine import formats, strict_json
from initlab.engine.formats.base import sync
from initlab.runner.errors import EvidenceError
from initlab.runner.evidence.diagnosed import Diagnosis
from initlab.runner.evidence.manifest import RUN_AGAIN, Manifest
from initlab.runner.evidence.plan_rows import rows_of
from initlab.runner.evidence.provenance import Calling
from initlab.runner.evidence.shard import INDEX, index_text
from initlab.runner.evidence.snapshot import Saved, file_name, is_as_written
from initlab.runner.evidence.sound import is_text
from initlab.runner.evidence.statistics import Statistics
from initlab.runner.evidence.written import Written, of_bytes, of_file
from initlab.runner.files import (
    csv_text,
    json_text,
    remove_leftovers,
    sync_files,
    write_bytes,
    write_json,
    write_text,
)
from initlab.runner.json_values import JSON

MANIFEST = "manifest.json"
STATISTICS, TABLE = "stats.json", "stats.csv"
PLAN = "plan.json"
DIAGNOSIS = "diagnosis.json"
SWEEP = "sweep.json"
"""In the folder of a sweep."""
LOG = "runner.log"
HYDRA = ".hydra"
OF_CONFIG = ("config.yaml", "overrides.yaml")
HYDRA_FILES = {*OF_CONFIG, "hydra.yaml"}
REPORT = "report.html"
JOURNAL = "snapshot.journal"
PARTIAL = ".partial"
GIVE_FOLDER = "give the folder of a finished run, outputs/<name>/<run id>"
SNAPSHOTS = ("snapshot.*", "model-*-of-*.safetensors*", INDEX)
"""Patterns of the files that hold values, complete or not."""


@dataclass(frozen=True)
class Origin:
    """The origin of a run: the words as typed, Hydra's files for it, as text by file name, and
    what answers where its command was called.
    """

    overrides: Sequence[str] = ()
    hydra_files: Mapping[str, str] = field(default_factory=dict)
    calling: Callable[[], Calling] | None = None


class RunFolder:
    """The folder of one run.

    `manifest`, `stats`, `plan` and `snapshot` are read on first access and cached; `begin` and the
    writing methods drop what they replace from the cache. Reading raises EvidenceError if a file is
    missing, damaged or of a newer version; writing raises OSError.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self._written: dict[str, Written] = {}

    def __repr__(self) -> str:
        return f"RunFolder({str(self.path)!r})"

    # what a finished run left

    @property
    def finished(self) -> bool:
        """Whether there is a manifest, whatever its content."""
        return (self.path / MANIFEST).exists()

    @cached_property
    def manifest(self) -> Manifest:
        """The manifest of the run."""
        path = self.path / MANIFEST
        if not self.path.is_dir():
            what = "is a file" if self.path.exists() else "no such folder"
            raise EvidenceError(f"{self.path}: {what} - {GIVE_FOLDER}")
        if not path.exists() and not (self.path / PLAN).exists():
            what = "is a sweep" if (self.path / SWEEP).exists() else "is no run"
            raise EvidenceError(f"{self.path}: {what} (it has no {MANIFEST}) - {GIVE_FOLDER}")
        missing = f"no manifest, so the run did not finish - {RUN_AGAIN}"
        return Manifest.from_json(_read(path, missing, "the manifest is damaged"), path)

    @property
    def config(self) -> dict[str, JSON]:
        """The resolved config of the run."""
        return self.manifest.config

    @cached_property
    def stats(self) -> Statistics:
        """The statistics of the run."""
        path = self.path / STATISTICS
        return Statistics.from_json(_read(path), path)

    @cached_property
    def diagnosis(self) -> Diagnosis | None:
        """The diagnosis of the run; None if none was made."""
        path = self.path / DIAGNOSIS
        return Diagnosis.from_json(_read(path), path) if path.exists() else None

    @cached_property
    def plan(self) -> dict[str, dict[str, JSON]]:
        """The rows of the plan by path, in the order of the network (see `runner.plan.rows`)."""
        path = self.path / PLAN
        return rows_of(_read(path), path)

    @property
    def remarks(self) -> list[str]:
        """What a user should read about the parameters of the plan, a line each."""
        found = _read(self.path / PLAN).get("remarks", [])
        return found if isinstance(found, list) and all(map(is_text, found)) else []

    @property
    def snapshot_path(self) -> Path | None:
        """The file of the values, or the index of several; None if none were kept. It need not
        exist.
        """
        name = self.manifest.snapshot
        if name is not None and Path(name).name != name:
            raise EvidenceError(
                f"{self.path}: the manifest is damaged, its snapshot {name!r} is no file name - {RUN_AGAIN}"
            )
        return None if name is None else self.path / name

    @cached_property
    def snapshot(self) -> Saved | None:
        """The first values by path, mapped if the format allows it; None if none were kept."""
        return None if self.snapshot_path is None else Saved(self.snapshot_path)

    def is_whole(self) -> bool:
        """Return whether every file that the manifest lists, and the snapshot if one was kept, is
        as it was written.
        """
        path, content = self.snapshot_path, self.manifest
        try:
            listed = all(
                of_file(self.path / name) == one for name, one in (content.written or {}).items()
            )
        except OSError:
            return False
        values = path is None or is_as_written(path, content.digests.tensors, content.aliases)
        return listed and values

    def finished_as(self, canonical: Mapping[str, object]) -> Manifest | None:
        """Return the manifest if the run with this canonical config is finished here.

        Returns None if it must be made: it did not finish, or a file of it is not as written.
        Raises EvidenceError if a run of another config is finished here.
        """
        if not self.finished:
            return None
        if self.manifest.canonical != canonical:
            raise EvidenceError(
                f"{self.path}: holds a finished run of another config, so it cannot be resumed - remove "
                "the folder or run without resume=true"
            )
        return self.manifest if self.is_whole() else None

    def hydra_files(self) -> dict[str, str]:
        """Return Hydra's files about the run's own config, text by file name, as far as they are
        there and can be read.
        """
        found = {}
        for name in OF_CONFIG:
            with suppress(OSError, UnicodeDecodeError):
                found[name] = (self.path / HYDRA / name).read_text(encoding="utf-8")
        return found

    def evidence_digest(self) -> str:
        """Return the SHA-256, in hex, of manifest and statistics.

        It changes with any measured value, including time and memory.
        """
        content = [_read(self.path / name) for name in (MANIFEST, STATISTICS)]
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    # writing a run, in this order

    def begin(self) -> Manifest | None:
        """Remove an old manifest, durably and before anything else, and files left by a killed
        process.

        Returns the manifest that was there; None if there was none, or it cannot be read.
        """
        former = None
        with suppress(EvidenceError):
            former = self.manifest
        for name in ("manifest", "stats", "plan", "diagnosis", "snapshot"):
            self.__dict__.pop(name, None)
        self._written = {}
        path = self.path / MANIFEST
        if path.exists():
            path.unlink()
            sync(self.path)
        remove_leftovers(self.path)
        return former

    @contextmanager
    def logged(self) -> Iterator[None]:
        """Also write the logs of runner and engine to the run's own file, inside a `with`."""
        handler = logging.FileHandler(self.path / LOG, mode="w", encoding="utf-8")
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        root = logging.getLogger()
        level = root.level
        root.addHandler(handler)
        root.setLevel(min(level, logging.INFO) if level else logging.INFO)
        try:
            yield
        finally:
            root.removeHandler(handler)
            root.setLevel(level)
            handler.close()

    def append_log(self, text: str) -> None:
        """Append text to the log of a run that is over."""
        with open(self.path / LOG, "a", encoding="utf-8") as log:
            log.write(text)

    def write_hydra(self, files: Mapping[str, str]) -> None:
        """Write Hydra's files of the run, text by file name; remove those of an earlier run."""
        for old in HYDRA_FILES - files.keys():
            (self.path / HYDRA / old).unlink(missing_ok=True)
        write_hydra(self.path, files)
        for name, text in files.items():
            self._written[f"{HYDRA}/{name}"] = of_bytes(text.encode("utf-8"))

    def write_plan(self, description: Mapping[str, object]) -> None:
        """Write the plan, from `runner.plan.rows.Plan.describe`."""
        self.__dict__.pop("plan", None)
        self._write(PLAN, f"{json_text(description)}\n", durable=False)

    def remove_snapshots(self) -> None:
        """Remove the snapshots of unfinished runs."""
        for old in self.snapshots():
            (self.path / old).unlink()

    def snapshots(self) -> set[str]:
        """Return the names of the files in the folder that are, by their names, of values."""
        return {path.name for pattern in SNAPSHOTS for path in self.path.glob(pattern)}

    def write_snapshot(
        self,
        file_format: formats.Format,
        values: dict[str, np.ndarray],
        aliases: dict[str, str],
        root: str,
    ) -> str:
        """Write the owners' values and the aliases; return the file's name."""
        name = file_name(file_format)
        metadata = {"root-v1": root}
        content = formats.Snapshot(tensors=values, aliases=aliases, metadata=metadata)
        file_format.write(self.path / name, content)
        self._written[name] = of_file(self.path / name)
        return name

    def write_index(self, parts: Sequence[Sequence[str]], totals: Mapping[str, int]) -> str:
        """Write the index of a snapshot whose parts hold these paths; return the file's name."""
        self._write(INDEX, index_text(parts, totals))
        return INDEX

    def link(self, source: Path) -> None:
        """Link a file of another folder into this one, under its name; on another disk it is
        copied.
        """
        target = self.path / source.name
        try:
            os.link(source, target)
        except OSError:
            shutil.copyfile(source, target)
        self._written[source.name] = of_file(target)

    def unfinished(self, name: str) -> Path:
        """Return the path of a streamed snapshot while it is incomplete."""
        return self.path / f"{name}{PARTIAL}"

    def publish(self, name: str) -> None:
        """Give a complete streamed snapshot its final name, durably."""
        os.replace(self.unfinished(name), self.path / name)
        sync(self.path)
        self._written[name] = of_file(self.path / name)

    @property
    def journal(self) -> Path:
        """The journal of an unfinished streamed run."""
        return self.path / JOURNAL

    def write_stats(self, stats: Statistics) -> None:
        """Write the statistics, and their table of parameters as CSV."""
        self.__dict__.pop("stats", None)
        self._write(STATISTICS, f"{json_text(stats.to_json())}\n", durable=False)
        self._write(TABLE, csv_text(stats.columns, stats.table()), durable=False)

    def write_diagnosis(self, diagnosis: Diagnosis | None) -> None:
        """Write the diagnosis; without one, remove that of an earlier run."""
        self.__dict__.pop("diagnosis", None)
        if diagnosis is None:
            (self.path / DIAGNOSIS).unlink(missing_ok=True)
        else:
            self._write(DIAGNOSIS, f"{json_text(diagnosis.to_json())}\n", durable=False)

    def write_manifest(self, manifest: Manifest) -> None:
        """Write the manifest with the digests of all files written since `begin`; from here on the
        run is finished. Plan, statistics and snapshot are on the disk before it.
        """
        self.__dict__.pop("manifest", None)
        sync_files(self.path, (PLAN, STATISTICS, TABLE, DIAGNOSIS))
        for old in self.snapshots() - self._written.keys() - {JOURNAL}:
            (self.path / old).unlink()  # of a joined or an unfinished run
        written = dict(sorted(self._written.items()))
        write_json(self.path / MANIFEST, replace(manifest, written=written).to_json())
        self.journal.unlink(missing_ok=True)

    def _write(self, name: str, text: str, durable: bool = True) -> None:
        """Write a file that the manifest will describe."""
        content = text.encode("utf-8")
        write_bytes(self.path / name, content, durable)
        self._written[name] = of_bytes(content)

    def keep_report(self, text: str) -> Path:
        """Write the run's report; return its path."""
        return keep_report(self.path, text)


def keep_report(folder: Path, text: str) -> Path:
    """Write the report of a run or a sweep into its folder; return its path."""
    write_text(folder / REPORT, text)
    return folder / REPORT


def write_hydra(folder: Path, files: Mapping[str, str]) -> None:
    """Write Hydra's files of a run or a sweep into its folder, text by file name."""
    (folder / HYDRA).mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / HYDRA / name).write_text(text, encoding="utf-8")


def _read(
    path: Path, missing: str = f"is missing - {RUN_AGAIN}", damaged: str = "is damaged"
) -> Any:
    """Return the JSON in a file. Raises EvidenceError if there is none."""
    try:
        return strict_json.read(path)
    except FileNotFoundError:
        raise EvidenceError(f"{path}: {missing}") from None
    except (OSError, ValueError) as error:
        raise EvidenceError(f"{path}: {damaged} ({error}) - {RUN_AGAIN}") from error
