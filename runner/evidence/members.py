"""The results of a sweep on disk: `sweep.json` lists its runs, and their folders say how they
ended.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from initlab.engine import strict_json
from initlab.runner.errors import EvidenceError
from initlab.runner.evidence import judged
from initlab.runner.evidence.folder import REPORT, SWEEP
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


@dataclass(frozen=True, slots=True)
class Member:
    """One run of a sweep: its folder relative to the working directory, and its overrides."""

    run_id: str
    folder: str
    overrides: list[str]


def write_members(folder: Path, words: list[str], members: list[Member]) -> None:
    """Write the list of a sweep's runs, before the first starts; remove the results of an older
    sweep.
    """
    for old in (TABLE, SUMMARY, REPORT):
        (folder / old).unlink(missing_ok=True)
    judged.remove(folder)
    runs = [{"run_id": m.run_id, "folder": m.folder, "overrides": m.overrides} for m in members]
    write_json(folder / SWEEP, {"format": FORMAT, "overrides": words, "runs": runs})


def read_members(folder: Path) -> list[Member]:
    """Return the runs of the sweep in `folder`.

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
        return [
            Member(
                _text(run["run_id"]),
                _text(run["folder"]),
                [_text(word) for word in run["overrides"]],
            )
            for run in content["runs"]
        ]
    except (KeyError, TypeError) as error:
        raise EvidenceError(
            f"{path}: is damaged, a run in it is not as written ({error}) - {again}"
        ) from error


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


def collect(members: list[Member]) -> list[Status]:
    """Return the status of each run, in the order of the sweep, after its launcher has ended."""
    return [conclude(Path(member.folder)) for member in members]


def swept_keys(members: Sequence[Member]) -> list[str]:
    """Return the keys of the overrides that differ between runs, in order of appearance."""
    first: dict[str, str | None] = dict(_given(members[0])) if members else {}
    differ: dict[str, bool] = dict.fromkeys(first, False)
    for member in members:
        values = _given(member)
        for key in values:
            if key not in first:
                first[key], differ[key] = None, True
        for key, value in first.items():
            differ[key] = differ[key] or values.get(key) != value
    return [key for key in differ if differ[key]]


def _given(member: Member) -> dict[str, str]:
    return dict(word.lstrip("+~").partition("=")[::2] for word in member.overrides)


def swept_values(members: list[Member]) -> list[dict[str, str]]:
    """Return {key: value} of the overrides that differ between runs, for each run."""
    keys = swept_keys(members)
    return [{key: values[key] for key in keys if key in values} for values in map(_given, members)]


def short_names(keys: Sequence[str]) -> list[str]:
    """Return names for keys: the last part of each, or all of it if another one ends like it."""
    whole = [key.removesuffix(KIND) for key in keys]
    last = [key.rpartition(".")[2] for key in whole]
    return [part if last.count(part) == 1 else key for part, key in zip(last, whole, strict=True)]
