"""A record: what is listed of one run, finished or not, as JSON types.

It follows from the files of the run's folder alone, so that an index can keep it as long as the files
stay; only `state_now` asks whether a process is at work.

    state       finished; failed: an error ended it; timed out; running; crashed: its process is gone;
                unfinished: no process is at work on it, and it does not say why; damaged: a file of it
                cannot be read
    run_id, name
    path        the folder, seen from the one that is listed
    folder      the same, as an absolute path
    when        when it ended, or was touched last: 2026-11-27T13:24:06.250Z
    seconds     how long it took
    root        its root digest
    model       the name of the model's option
    tags, note  what the user wrote
    diagnosis   the severity of the worst finding, `none` without any; null if it made no diagnosis
    finding     the id of the worst finding
    objective   the number by which it is judged
    off         how many parameters are not as declared
    bytes       the size of its files, of a finished run
    error       what ended it, in one line
    words       the words it was declared by
    provenance  of a finished run: a mapping, see `runner.evidence.provenance`
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import yaml

from initlab.engine import strict_json
from initlab.runner.errors import EvidenceError
from initlab.runner.evidence import status
from initlab.runner.evidence.diagnosed import SEVERITIES
from initlab.runner.evidence.folder import GIVE_FOLDER, MANIFEST, RunFolder
from initlab.runner.evidence.found import CONFIG, MARKS, Place, place_of
from initlab.runner.evidence.manifest import Manifest
from initlab.runner.evidence.run_ids import digest_in
from initlab.runner.evidence.status import (
    COMPLETED,
    CRASHED,
    DAMAGED,
    FAILED,
    PENDING,
    RUNNING,
    TIMED_OUT,
    UNFINISHED,
    Status,
)
from initlab.runner.excerpt import on_one_line
from initlab.runner.files import is_locked
from initlab.runner.json_values import JSON, mapping

FINISHED = "finished"
ON_THE_WAY = (PENDING, RUNNING, COMPLETED)
"""States in a status after which only the manifest, or a process, says how the run ended."""
FACTS = (
    "state", "run_id", "name", "path", "folder", "when", "seconds", "root", "model", "tags", "note",
    "diagnosis", "finding", "objective", "off", "bytes", "error", "words",
)  # fmt: skip
"""What a record says beside config, figures and provenance, in this order."""
STATES = (FINISHED, RUNNING, FAILED, TIMED_OUT, CRASHED, UNFINISHED, DAMAGED)
"""What the fact `state` can be."""
NAMES = {"state": STATES, "diagnosis": ("none", *SEVERITIES)}
"""Fact -> the texts that it can be, of those that are one of a few."""
PROVENANCE = "provenance"
LARGEST = 1 << 20
"""Bytes of the config of an unfinished run that are read at most."""

T = TypeVar("T")


@dataclass(frozen=True)
class Record:
    """What is listed of a run: facts, its config, its figures, and the other sections of its
    statistics by name.
    """

    facts: dict[str, JSON]
    config: dict[str, JSON] = field(default_factory=dict)
    figures: dict[str, JSON] = field(default_factory=dict)
    sections: list[str] = field(default_factory=list)

    def to_json(self) -> list[JSON]:
        """Return the record as JSON types; `Record(*content)` restores it."""
        return [self.facts, self.config, self.figures, self.sections]


class Sections(Mapping[str, object]):
    """What a path of `runner.figures` finds of a run beside its config: the facts of its record and
    the sections of its statistics. Those that the record lacks are read when they are asked for.
    """

    def __init__(self, record: Record, folder: Path) -> None:
        self._record, self._folder = record, folder
        self._read: Mapping[str, object] | None = None

    def __getitem__(self, name: str) -> object:
        if name in self._record.facts:
            return self._record.facts[name]
        if name not in self._record.sections:
            raise KeyError(name)
        if name == "figures":
            return self._record.figures
        if self._read is None:
            self._read = RunFolder(self._folder).stats.by_name
        return self._read.get(name, [])

    def __iter__(self) -> Iterator[str]:
        yield from self._record.facts
        yield from self._record.sections

    def __len__(self) -> int:
        return len(self._record.facts) + len(self._record.sections)


def record_of(place: Place) -> Record | None:
    """Return the record of a run from its files; None if its manifest or status is that of something
    else.

    A file that cannot be read makes the run `damaged`, and the error says which.
    """
    folder, facts = place.folder, dict.fromkeys(FACTS)
    known: dict[str, JSON] = {
        **facts,
        "run_id": folder.name,
        "name": _name_by(place.path),
        "path": place.path,
        "when": utc(_last_written(place)),
        "tags": [],
        PROVENANCE: None,
    }
    stored = status.stored(folder)
    if place.stamps[0] is None:
        ours = stored is not None or digest_in(folder.name) is not None or _is_begun(folder)
        return _unfinished(place, known, stored) if ours else None
    try:
        manifest = RunFolder(folder).manifest
    except EvidenceError as error:
        lone = not any(place.stamps[1:]) and _is_foreign(folder / MANIFEST)
        if lone or not folder.is_dir():
            return None
        return Record({**known, **_of_status(stored), **_damaged(error)})
    known |= {**_of_status(stored), **_of_manifest(manifest, place)}
    record = Record(known, manifest.config)
    return _measured(record, RunFolder(folder), stored)


def record_in(folder: Path) -> Record:
    """Return the record of the run in a folder, with the state of this moment.

    Raises EvidenceError if it is no run.
    """
    place = place_of(folder)
    record = None if place is None else record_of(place)
    if record is None:
        raise EvidenceError(f"{folder}: is no run - {GIVE_FOLDER}")
    return state_now(record, folder)


def _of_manifest(manifest: Manifest, place: Place) -> dict[str, JSON]:
    config = manifest.config
    size = place.stamps[0][1] if place.stamps[0] is not None else 0
    written = manifest.written
    came = manifest.provenance
    return {
        "state": FINISHED,
        "run_id": manifest.run_id,
        "name": _name_by(place.path) or manifest.name,
        "seconds": manifest.seconds,
        "root": manifest.digests.root,
        "bytes": None if written is None else size + sum(one.bytes for one in written.values()),
        "words": list(manifest.overrides),
        "model": (manifest.choices or {}).get("model") or _typed("model", manifest.overrides),
        PROVENANCE: None if came is None else came.to_json(),
        **({} if came is None else {"when": came.ended}),
        **_of_user(config),
    }


def _of_user(config: Mapping[str, JSON]) -> dict[str, JSON]:
    """Return the tags and the note of a config."""
    tags, note = config.get("tags"), config.get("note")
    listed = [str(tag) for tag in tags] if isinstance(tags, list) else []
    return {"tags": listed, "note": note if isinstance(note, str) and note else None}


def _of_status(stored: Status | None) -> dict[str, JSON]:
    if stored is None:
        return {}
    return {
        "seconds": stored.seconds,
        "objective": stored.objective,
        "words": list(stored.overrides),
        "model": _typed("model", stored.overrides),
    }


def _measured(record: Record, run: RunFolder, stored: Status | None) -> Record:
    """Return the record of a run with a manifest, with what its statistics, its diagnosis and its
    status say.
    """
    facts = record.facts
    lost: list[EvidenceError] = []
    stats = _read(lambda: run.stats, lost)
    found = _read(lambda: run.diagnosis, lost)
    if stats is not None:
        facts["off"] = len(stats.off)
    if found is not None:
        facts["diagnosis"] = found.severity or "none"
        facts["finding"] = found.findings[0].id if found.findings else None
    if stored is not None and stored.state not in ON_THE_WAY:
        facts |= {"state": stored.state, "error": _first_line(stored.error)}
    if lost:
        facts |= _damaged(lost[0])
    figures, sections = ({}, []) if stats is None else (stats.figures, list(stats.by_name))
    return Record(facts, record.config, dict(figures), sections)


def _read(read: Callable[[], T], lost: list[EvidenceError]) -> T | None:
    """Return what is read, or None where that fails; the error is added to `lost`."""
    try:
        return read()
    except EvidenceError as error:
        lost.append(error)
        return None


def _unfinished(place: Place, known: dict[str, JSON], stored: Status | None) -> Record:
    """Return the record of a run without manifest, as if no process were at work on it."""
    config = _config_as_composed(place.folder)
    facts = {**known, "state": UNFINISHED, **_of_status(stored), **_of_user(config)}
    if stored is not None:
        facts["run_id"] = stored.run_id
        if stored.state not in ON_THE_WAY:
            facts |= {"state": stored.state, "error": _first_line(stored.error)}
        elif stored.state == RUNNING:
            ended = status.gone(place.folder, stored)
            facts |= {"state": ended.state, "error": ended.error}
        elif stored.state == COMPLETED:
            facts |= {"state": CRASHED, "error": "it has no manifest"}
    if isinstance(config.get("name"), str):
        facts["name"] = config["name"]
    return Record(facts, config)


def state_now(record: Record, folder: Path) -> Record:
    """Return the record of the run in this folder with the state of this moment: `running` if a process
    is at work on it.
    """
    facts = {**record.facts, "folder": str(folder)}
    if facts["state"] in (UNFINISHED, CRASHED, TIMED_OUT) and at_work(folder):
        facts |= {"state": RUNNING, "error": None}
    return replace(record, facts=facts)


def at_work(folder: Path) -> bool:
    """Return whether a process makes the run in this folder: it holds the folder's lock, or, where
    the file system has no locks or another machine may hold it, the status says so.
    """
    try:
        held = is_locked(folder)
    except OSError:
        held = None
    if held:
        return True
    stored = status.stored(folder)
    if stored is None or stored.state != RUNNING:
        return False
    if stored.host != socket.gethostname():
        return True
    return held is None and status.alive(stored.pid)


def _damaged(error: EvidenceError) -> dict[str, JSON]:
    return {"state": DAMAGED, "error": _first_line(str(error))}


def _first_line(text: str | None) -> str | None:
    return on_one_line(text.splitlines()[0]) if text else None


def _typed(group: str, words: list[str]) -> str | None:
    """Return the option of a group that the words choose; None if they choose none."""
    for word in reversed(words):
        key, sign, value = word.lstrip("+").partition("=")
        if sign and key.partition("@")[0] == group:
            return value
    return None


def _name_by(path: str) -> str:
    """Return the name of a run by where it lies, as `runs` for `runs/he-seed0-…`."""
    return path.rpartition("/")[0]


def _last_written(place: Place) -> int:
    """Return when the run ended or was touched last, in ns."""
    if place.stamps[0] is not None:
        return place.stamps[0][2]
    return max((stamp[2] for stamp in place.stamps if stamp is not None), default=0)


def utc(nanoseconds: int) -> str | None:
    """Return a time as text, in UTC, to the millisecond; None for one that no calendar has."""
    try:
        found = datetime.fromtimestamp(nanoseconds // 10**9, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    milliseconds = f"{nanoseconds // 10**6 % 1000:03d}"
    return f"{found:%Y-%m-%dT%H:%M:%S}.{milliseconds}Z" if nanoseconds else None


def _is_begun(folder: Path) -> bool:
    """Return whether a folder has two of the files that a run writes first; False if it is gone."""
    try:
        return len(MARKS.intersection(os.listdir(folder))) > 1
    except OSError:
        return False


def _is_foreign(path: Path) -> bool:
    """Return whether a file is a manifest of something else: JSON without our format."""
    try:
        content = strict_json.read(path)
    except (OSError, ValueError):
        return False
    return not str(mapping(content).get("format")).startswith("initlab-manifest")


def _config_as_composed(folder: Path) -> dict[str, JSON]:
    """Return the config of a run that did not finish, as it was composed; empty if there is none, or
    one that we did not write.
    """
    path = folder / CONFIG
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        if path.stat().st_size > LARGEST:
            return {}
        text = path.read_bytes()
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, loader)):
            return {}
        content = json.loads(json.dumps(yaml.load(text, loader), default=str))
    except (OSError, ValueError, TypeError, yaml.YAMLError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}
