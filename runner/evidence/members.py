"""The results of a sweep on disk: `sweep.json` lists its runs, and their folders say how they
ended.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from initlab.engine import strict_json
from initlab.runner.errors import EvidenceError
from initlab.runner.evidence import judged
from initlab.runner.evidence.folder import REPORT, SWEEP, RunFolder
from initlab.runner.evidence.status import COMPLETED, Status, conclude
from initlab.runner.evidence.version import check_version
from initlab.runner.files import write_csv, write_json, write_text
from initlab.runner.json_values import JSON

TABLE, SUMMARY = "summary.csv", "summary.md"
OWN = (SWEEP, TABLE, SUMMARY, REPORT, *judged.FILES)
"""The files of a sweep, beside the folders of its runs."""
KIND = ".kind"
"""The end of the key that a config group chooses."""
FORMAT = "initlab-sweep-1"
VERSIONS = (1,)
FIRST, LAST = ("state", "seconds", "parameters_off"), ("root", "error")
"""Columns of the summary between the swept values and the figures, and after the figures."""


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


def rows(members: list[Member], statuses: Iterable[Status]) -> Iterator[dict[str, JSON]]:
    """Yield a row for each run: the swept values, how it ended, and its figures."""
    for member, swept, status in zip(members, swept_values(members), statuses, strict=True):
        row: dict[str, JSON] = {"run_id": member.run_id, **swept, "state": status.state}
        row |= {
            "seconds": status.seconds,
            "root": (status.root or "")[:16],
            "error": (status.error or "").split("\n")[0],
        }
        if status.objective is not None:
            row["objective"] = status.objective
        if status.state == COMPLETED:
            row |= _figures(Path(member.folder))
        yield row


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


def _figures(folder: Path) -> dict[str, JSON]:
    """Return the probe's figures, and how many parameters agree with their declaration."""
    try:
        stats = RunFolder(folder).stats
    except EvidenceError:
        return {}
    return {"parameters_off": len(stats.off), **stats.figures}


def write_summary(
    folder: Path, members: list[Member], statuses: Iterable[Status] | None = None
) -> int:
    """Write `summary.csv` for programs and `summary.md` for people; return the number of completed
    runs.

    The rows wait in a temporary file until all columns are known, so memory does not grow with the
    runs.
    """
    keys = swept_keys(members)
    figures: dict[str, None] = {}
    done = 0
    with tempfile.TemporaryFile("w+", encoding="utf-8") as waiting:
        for row in rows(
            members,
            (conclude(Path(member.folder)) for member in members) if statuses is None else statuses,
        ):
            figures |= dict.fromkeys(
                name for name in row if name not in ("run_id", *keys, *FIRST, *LAST)
            )
            done += row["state"] == COMPLETED
            waiting.write(json.dumps(row) + "\n")
        columns = ["run_id", *keys, *FIRST, *figures, *LAST]

        def again() -> Iterator[dict[str, JSON]]:
            waiting.seek(0)
            return map(json.loads, waiting)

        write_csv(folder / TABLE, columns, again())
        lines = [
            f"{done} of {len(members)} runs completed",
            "",
            "| " + " | ".join(columns) + " |",
            "|" + " --- |" * len(columns),
        ]
        lines += [
            "| " + " | ".join(_cell(row.get(column)) for column in columns) + " |"
            for row in again()
        ]
        write_text(folder / SUMMARY, "\n".join(lines) + "\n")
    return done


def _cell(value: object) -> str:
    if value is None:
        return ""
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return text.replace("|", "\\|")
