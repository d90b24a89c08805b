"""The results of a sweep on disk: `sweep.json` lists its runs, and their folders say how they
ended. It also says which runs the earlier sweeps into the same folder made.
"""

from __future__ import annotations

import math
import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from initlab.engine import strict_json
from initlab.runner.errors import EvidenceError
from initlab.runner.evidence import judged
from initlab.runner.evidence.folder import REPORT, SWEEP
from initlab.runner.evidence.run_ids import digest_in
from initlab.runner.evidence.status import Status, conclude
from initlab.runner.evidence.version import check_version
from initlab.runner.files import write_json

TABLE, SUMMARY = "summary.csv", "summary.md"
OWN = (SWEEP, TABLE, SUMMARY, REPORT, *judged.FILES)
"""The files of a sweep, beside the folders of its runs."""
KIND = ".kind"
"""The end of the key that a config group chooses."""
FORMAT = "initlab-sweep-1"
VERSIONS = (1,)
LARGEST_WHOLE = 2**53
"""Floats up to this are printed as whole numbers if they are."""


@dataclass(frozen=True, slots=True)
class Member:
    """One run of a sweep: its folder relative to the working directory, and its overrides."""

    run_id: str
    folder: str
    overrides: list[str]

    @property
    def key(self) -> tuple[str, str]:
        """What two members have in common if they are one run, in one place, of whatever label."""
        return os.path.dirname(self.folder), digest_in(self.run_id) or self.run_id


@dataclass(frozen=True, slots=True)
class SweepRecord:
    """What is kept of a sweep: its number among those of its folder, when it started (UTC), the
    words of the command line, and the names of the runs' folders. An earlier sweep has no run that
    a later one lists too.
    """

    number: int
    started: str
    overrides: list[str]
    runs: list[str]


@dataclass(frozen=True)
class SweepList:
    """The content of `sweep.json`: the last sweep with its runs, and the sweeps before it."""

    last: SweepRecord
    members: list[Member]
    earlier: list[SweepRecord]


def write_members(folder: Path, words: list[str], members: list[Member]) -> None:
    """Write the list of a new sweep's runs, before the first starts; remove the summary, report and
    verdicts of the sweep before it. What can be read of that sweep's list is kept as an earlier one.
    """
    for old in (TABLE, SUMMARY, REPORT):
        (folder / old).unlink(missing_ok=True)
    judged.remove(folder)
    try:
        before = read_sweep(folder)
        earlier = [*before.earlier, before.last]
    except EvidenceError:
        earlier = []
    number = 1 + max((sweep.number for sweep in earlier), default=0)
    started = datetime.now(UTC).isoformat(timespec="seconds")
    _write(folder, SweepRecord(number, started, words, []), members, earlier)


def extend_members(folder: Path, members: list[Member]) -> None:
    """Write the list of the last sweep again, after it got more runs."""
    before = read_sweep(folder)
    _write(folder, before.last, members, before.earlier)


def forget(folder: Path, gone: Collection[str]) -> bool:
    """Remove runs, by their real paths, from the lists of a folder's sweeps; return whether one was in
    them. Raises EvidenceError if the list cannot be read.
    """
    found = read_sweep(folder)
    places = places_of(found.members, folder)
    kept = [
        member
        for member, place in zip(found.members, places, strict=True)
        if os.path.realpath(place) not in gone
    ]
    earlier = [
        replace(
            sweep, runs=[run for run in sweep.runs if os.path.realpath(folder / run) not in gone]
        )
        for sweep in found.earlier
    ]
    if kept == found.members and earlier == found.earlier:
        return False
    _write(folder, found.last, kept, earlier)
    return True


def _write(
    folder: Path, last: SweepRecord, members: list[Member], earlier: list[SweepRecord]
) -> None:
    now = {Path(member.folder).name for member in members}
    left = [replace(one, runs=[run for run in one.runs if run not in now]) for one in earlier]
    content = {
        "format": FORMAT,
        "number": last.number,
        "started": last.started,
        "overrides": last.overrides,
        "runs": [
            {"run_id": m.run_id, "folder": m.folder, "overrides": m.overrides} for m in members
        ],
        "earlier": [asdict(sweep) for sweep in left if sweep.runs],
    }
    write_json(folder / SWEEP, content)


def read_members(folder: Path) -> list[Member]:
    """Return the runs of the last sweep in `folder`. Raises EvidenceError like `read_sweep`."""
    return read_sweep(folder).members


def read_sweep(folder: Path) -> SweepList:
    """Return the list of the last sweep in `folder`, and of those before it.

    Raises EvidenceError if there is no list, or if it is damaged or of another version.
    """
    path = folder / SWEEP
    again = "run the sweep again with resume=true"
    try:
        content = strict_json.read(path)
    except FileNotFoundError:
        raise EvidenceError(
            f"{path}: no such file, so no sweep was run into this folder - {again}"
        ) from None
    except (OSError, ValueError) as error:
        raise EvidenceError(f"{path}: is damaged ({error}) - {again}") from error
    found = content.get("format") if isinstance(content, dict) else type(content).__name__
    check_version(path, found, "sweep", VERSIONS, again)
    try:
        members = [
            Member(_text(run["run_id"]), _text(run["folder"]), _texts(run["overrides"]))
            for run in content["runs"]
        ]
        runs = [Path(member.folder).name for member in members]
        last = _record({"number": 1, "started": "", "overrides": [], **content, "runs": runs})
        return SweepList(last, members, [_record(one) for one in content.get("earlier", [])])
    except (KeyError, TypeError) as error:
        raise EvidenceError(
            f"{path}: is damaged, a run in it is not as written ({error}) - {again}"
        ) from error


def _record(content: Mapping[str, object]) -> SweepRecord:
    """Return a sweep from its JSON; older versions wrote neither number nor start."""
    number = content["number"]
    if not isinstance(number, int):
        raise TypeError(f"{number!r} is no number")
    words, runs = _texts(content["overrides"]), _texts(content["runs"])
    return SweepRecord(number, _text(content["started"]), words, runs)


def is_sweep(folder: Path) -> bool:
    """Return whether a folder is that of a sweep, not of a run."""
    return (folder / SWEEP).exists()


def places_of(found: Sequence[Member], sweep: Path) -> list[Path]:
    """Return the folder of each run: where it lies seen from the list that names it if it is there,
    else where it was written.

    So the runs of a sweep are found after its folder was moved. The first run was written into the
    folder of the sweep.
    """
    written = Path(found[0].folder).parent if found else Path()
    places = []
    for member in found:
        here, there = sweep / os.path.relpath(member.folder, written), Path(member.folder)
        moved = here.is_dir() and here.resolve() != there.resolve()
        places.append(here if moved else there)
    return places


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def _texts(value: object) -> list[str]:
    if not isinstance(value, list):
        raise TypeError(f"{value!r} is no list")
    return [_text(one) for one in value]


def collect(members: list[Member]) -> list[Status]:
    """Return the status of each run, in the order of the sweep, after its launcher has ended."""
    return [conclude(Path(member.folder)) for member in members]


def swept_keys(members: Sequence[Member]) -> list[str]:
    """Return the keys of the overrides that differ between runs, in order of appearance."""
    first: dict[str, str | None] = dict(given_values(members[0])) if members else {}
    differ: dict[str, bool] = dict.fromkeys(first, False)
    for member in members:
        values = given_values(member)
        for key in values:
            if key not in first:
                first[key], differ[key] = None, True
        for key, value in first.items():
            differ[key] = differ[key] or values.get(key) != value
    return [key for key in differ if differ[key]]


def given_values(member: Member) -> dict[str, str]:
    """Return {key: value} of a run's words."""
    pairs = (word.lstrip("+~").partition("=")[::2] for word in member.overrides)
    return {key: spelled(text) for key, text in pairs}


def spelled(text: str) -> str:
    """Return the value of a word in its one spelling: `0.10` and `1e-1` are `0.1`, `2.0` is `2`, and
    a text has no quotes. The value of a config, as text, is spelled alike.
    """
    text = text.strip()
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        return text[1:-1]
    if text.lower() in ("true", "false", "null"):
        return text.lower()
    for kind in (int, float):
        try:
            number = kind(text)
        except ValueError:
            continue
        whole = math.isfinite(number) and number == int(number) and abs(number) < LARGEST_WHOLE
        return str(int(number) if whole else number)
    return text


def swept_values(members: list[Member]) -> list[dict[str, str]]:
    """Return {key: value} of the overrides that differ between runs, for each run."""
    keys = swept_keys(members)
    return [
        {key: values[key] for key in keys if key in values} for values in map(given_values, members)
    ]


def short_names(keys: Sequence[str]) -> list[str]:
    """Return names for keys: the last part of each, or all of it if another one ends like it."""
    whole = [key.removesuffix(KIND) for key in keys]
    last = [key.rpartition(".")[2] for key in whole]
    return [part if last.count(part) == 1 else key for part, key in zip(last, whole, strict=True)]
