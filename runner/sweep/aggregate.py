"""What a sweep came to, read from disk: `sweep.json` says which runs belong to it, their folders say how they ended."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runner.files import write_csv, write_json, write_text
from runner.sweep.status import COMPLETED, Status, conclude

NAME = "sweep.json"
SUMMARIES = ("summary.csv", "summary.md")
FORMAT = "initlab-sweep-1"


@dataclass(frozen=True, slots=True)
class Member:
    """One run of a sweep: its folder relative to the working directory, and the overrides that made it."""

    run_id: str
    folder: str
    overrides: list[str]


def write_members(folder: Path, words: list[str], members: list[Member]) -> None:
    """Name what belongs to the sweep, before its first run starts; what an older sweep came to is taken away."""
    for old in SUMMARIES:
        (folder / old).unlink(missing_ok=True)
    runs = [{"run_id": m.run_id, "folder": m.folder, "overrides": m.overrides} for m in members]
    write_json(folder / NAME, {"format": FORMAT, "overrides": words, "runs": runs})


def read_members(folder: Path) -> list[Member]:
    """The runs of the sweep kept in `folder`."""
    content = json.loads((folder / NAME).read_text(encoding="utf-8"))
    return [Member(run["run_id"], run["folder"], run["overrides"]) for run in content["runs"]]


def collect(members: list[Member]) -> list[Status]:
    """How each run ended, in the order of the sweep, once its launcher has."""
    return [conclude(Path(member.folder)) for member in members]


def rows(members: list[Member], statuses: list[Status]) -> list[dict[str, Any]]:
    """One row a run: what was swept, how it ended, and the figures it measured."""
    table = []
    for member, swept, status in zip(members, swept_values(members), statuses, strict=True):
        row: dict[str, Any] = {"run_id": member.run_id, **swept, "state": status.state}
        row |= {"seconds": status.seconds, "root": (status.root or "")[:16], "error": (status.error or "").split("\n")[0]}
        if status.state == COMPLETED:
            row |= _figures(Path(member.folder))
        table.append(row)
    return table


def swept_values(members: list[Member]) -> list[dict[str, str]]:
    """Of each run, the overrides that are not the same in all of them, by key."""
    given = [dict(word.lstrip("+~").partition("=")[::2] for word in member.overrides) for member in members]
    keys = [key for key in dict.fromkeys(key for values in given for key in values) if len({values.get(key) for values in given}) > 1]
    return [{key: values[key] for key in keys if key in values} for values in given]


def _figures(folder: Path) -> dict[str, Any]:
    """The probe's figures and how many parameters look as declared."""
    try:
        stats = json.loads((folder / "stats.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    off = sum(row["verdict"] == "off" for row in stats["parameters"])
    return {"parameters_off": off, **stats["figures"]}


def write_summary(folder: Path, members: list[Member], statuses: list[Status]) -> None:
    """`summary.csv` for programs and `summary.md` for people."""
    table = rows(members, statuses)
    columns = list(dict.fromkeys(name for row in table for name in row))
    columns.sort(key=lambda name: name in ("root", "error"))
    write_csv(folder / "summary.csv", columns, table)
    lines = ["| " + " | ".join(columns) + " |", "|" + " --- |" * len(columns)]
    for row in table:
        cells = (_cell(row.get(column)) for column in columns)
        lines.append("| " + " | ".join(cells) + " |")
    done = sum(status.state == COMPLETED for status in statuses)
    write_text(folder / "summary.md", f"{done} of {len(members)} runs completed\n\n" + "\n".join(lines) + "\n")


def _cell(value: Any) -> str:
    if value is None:
        return ""
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return text.replace("|", "\\|")
