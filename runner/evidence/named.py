"""The runs of a name: those that the last sweep into `outputs/<name>` lists, wherever they lie, and
every other run in that folder, of an earlier sweep or single.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from initlab.runner.errors import EvidenceError
from initlab.runner.evidence.folder import RunFolder
from initlab.runner.evidence.found import is_run
from initlab.runner.evidence.members import (
    Member,
    SweepRecord,
    given_values,
    is_sweep,
    places_of,
    read_sweep,
    spelled,
    swept_keys,
)
from initlab.runner.evidence.record import at_work
from initlab.runner.evidence.settings import REPEATED
from initlab.runner.evidence.status import (
    COMPLETED,
    DAMAGED,
    NAME,
    PENDING,
    RUNNING,
    UNFINISHED,
    Status,
    conclude,
    read,
)
from initlab.runner.json_values import JSON

OF_COMMAND = (
    "resume",
    "dry_run",
    "task",
    "report",
    "show",
    "fold",
    "threads",
    "tracker",
    "timeout",
    "sweep",
    "hydra",
)
"""Keys that say how a command works, so that two sweeps that differ in them do not vary them."""


@dataclass(frozen=True, slots=True)
class NamedRun:
    """A run of a name: its folder's name, where it lies, its words, and the sweep that listed it last,
    None for a single run.
    """

    member: Member
    sweep: SweepRecord | None
    last: bool
    """Whether it is a run of the last sweep."""

    @property
    def folder(self) -> Path:
        """Where the run lies."""
        return Path(self.member.folder)

    def status(self, run: RunFolder, over: bool = True) -> Status:
        """Return how the run ended, or in which state it is. `run` reads its folder; `over` says that
        the last sweep has ended. A completed run whose manifest cannot be read is damaged.
        """
        found = conclude(run.path) if self.last and over else read(run.path)
        if found.state == COMPLETED:
            try:
                manifest = run.manifest
            except EvidenceError as error:
                return replace(found, state=DAMAGED, error=str(error))
            root, seconds = manifest.digests.root, manifest.seconds
            return found if found.root is not None else replace(found, root=root, seconds=seconds)
        if found.state == PENDING and not self.last and not (run.path / NAME).exists():
            return replace(found, state=RUNNING if at_work(run.path) else UNFINISHED)
        return found


@dataclass(frozen=True)
class Named:
    """All runs of a name: the last sweep's in its order, then those of earlier sweeps, the newest
    first, then the single ones. `others` are the names of folders in it that are no runs.
    """

    folder: Path
    runs: list[NamedRun]
    others: list[str]

    @property
    def members(self) -> list[Member]:
        """The runs as a sweep lists them."""
        return [run.member for run in self.runs]

    @property
    def sweeps(self) -> list[SweepRecord]:
        """The sweeps of which there is a run, the last one first."""
        found = {run.sweep.number: run.sweep for run in self.runs if run.sweep is not None}
        return list(found.values())

    @property
    def last(self) -> list[NamedRun]:
        """The runs of the last sweep."""
        return [run for run in self.runs if run.last]


def named(folder: Path, listed: Sequence[Member] | None = None) -> Named:
    """Return the runs of the name whose folder this is. `listed` are the runs of the last sweep, by
    default those of its list.

    Raises EvidenceError if the folder cannot be read, or its list of runs is damaged.
    """
    sweep = read_sweep(folder) if is_sweep(folder) else None
    members = list(listed) if listed is not None else [] if sweep is None else sweep.members
    places = places_of(members, folder)
    last = None if sweep is None else sweep.last
    runs = [
        NamedRun(replace(member, folder=str(place)), last, last=True)
        for member, place in zip(members, places, strict=True)
    ]
    known = {os.path.realpath(place) for place in places}
    others, aside = _scanned(folder)
    of_sweep = {name: one for one in (sweep.earlier if sweep else ()) for name in one.runs}
    order = {name: at for at, name in enumerate(of_sweep)}
    found = [
        NamedRun(
            Member(name, str(folder / name), words_of(folder / name)), of_sweep.get(name), False
        )
        for name in others
        if os.path.realpath(folder / name) not in known
    ]
    found.sort(
        key=lambda run: (
            -(run.sweep.number if run.sweep else 0),
            order.get(run.member.run_id, 0),
            run.member.run_id,
        )
    )
    return Named(folder, runs + found, aside)


def is_named(folder: Path) -> bool:
    """Return whether a folder is that of a name: no run, but a sweep or runs are in it."""
    if RunFolder(folder).finished or not folder.is_dir():
        return False
    return is_sweep(folder) or bool(_scanned(folder)[0])


def words_of(folder: Path) -> list[str]:
    """Return the words of a run, from its manifest or its status; none if neither can be read."""
    try:
        return RunFolder(folder).manifest.overrides
    except EvidenceError:
        return read(folder).overrides


def _scanned(folder: Path) -> tuple[list[str], list[str]]:
    """Return the names of the folders of runs in a folder, and those of its other folders."""
    runs: list[str] = []
    others: list[str] = []
    try:
        with os.scandir(folder) as entries:
            inner = sorted(entry.name for entry in entries if entry.is_dir())
    except OSError as error:
        raise EvidenceError(f"{folder}: cannot be read ({error.strerror})") from error
    for name in inner:
        if not name.startswith("."):
            (runs if _is_run(folder / name) else others).append(name)
    return runs, others


def _is_run(folder: Path) -> bool:
    try:
        return is_run(set(os.listdir(folder)))
    except OSError:
        return False


def varied(runs: Named) -> tuple[list[str], list[dict[str, str]]]:
    """Return the keys that vary among the runs of a name, those of the last sweep first, and the
    value of each of them in each run.

    A run whose words leave a key out has the value of its config, or the option that it chose; none
    if its manifest cannot be read. What only says how a command works does not vary.
    """
    own = swept_keys([run.member for run in runs.last])
    others = [
        key
        for key in swept_keys(runs.members)
        if key not in own and key.partition(".")[0] not in OF_COMMAND
    ]
    found = _all_values(runs.members, [*own, *others])
    several = [key for key in others if len({values.get(key) for values in found}) > 1]
    keys = [*own, *several]
    return keys, [{key: v for key, v in values.items() if key in keys} for values in found]


def _all_values(members: Sequence[Member], keys: Sequence[str]) -> list[dict[str, str]]:
    """Return the value of each key in each run. A run without a manifest has what a finished one has
    whose words differ in the seed only.
    """
    alike: dict[frozenset[tuple[str, str]], dict[str, str]] = {}
    found, unread = [], []
    for member in members:
        given = given_values(member)
        words = frozenset(item for item in given.items() if item[0] not in REPEATED)
        made = {key: given[key] for key in keys if key in given and "${" not in given[key]}
        lacking = [key for key in keys if key not in made]
        if lacking:
            try:
                manifest = RunFolder(Path(member.folder)).manifest
                made |= _configured(manifest.config, manifest.choices or {}, lacking)
                alike.setdefault(words, made)
            except EvidenceError:
                unread.append((made, lacking, words, given))
        found.append(made)
    for made, lacking, words, given in unread:
        other = alike.get(words, given)
        made |= {key: other[key] for key in lacking if key in other}
    return [{key: made[key] for key in keys if key in made} for made in found]


def _configured(
    config: Mapping[str, JSON], choices: Mapping[str, str], keys: Sequence[str]
) -> dict[str, str]:
    """Return the values of a config at those of the keys where it has a plain value, or an option: its
    name, or of an older run its kind.
    """
    found = {key: choices[key] for key in keys if key in choices}
    for key in keys:
        if key in found:
            continue
        value: JSON = dict(config)
        for part in key.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        if isinstance(value, dict):
            value = value.get("kind")
        if isinstance(value, (bool, int, float, str)):
            found[key] = spelled(value if isinstance(value, str) else json.dumps(value))
    return found
