"""The summary of a sweep: `summary.csv`, a row for each run, and `summary.md`, a row for each setting
before them.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from initlab.runner.errors import EvidenceError
from initlab.runner.evidence.diagnosed import Diagnosis
from initlab.runner.evidence.folder import RunFolder
from initlab.runner.evidence.members import (
    SUMMARY,
    TABLE,
    Member,
    short_names,
    swept_keys,
    swept_values,
)
from initlab.runner.evidence.settings import OBJECTIVE, Setting, Settings, figures_of
from initlab.runner.evidence.status import COMPLETED, Status, conclude
from initlab.runner.files import write_csv, write_text
from initlab.runner.json_values import JSON

SETTINGS = "Settings: mean ± standard deviation over seeds"
FIRST, LAST = ("state", "seconds", "parameters_off"), ("root", "error")
"""Columns of the summary between the swept values and the figures, and after the figures."""
DIAGNOSIS = "diagnosis"
"""The column of the worst finding, after `FIRST`, if a run has a diagnosis."""


ROOT = 16
"""Digits of a root digest in a table."""


def rows(
    members: list[Member], statuses: Iterable[Status]
) -> Iterator[tuple[dict[str, JSON], Diagnosis | None]]:
    """Yield a row for each run: the swept values, how it ended, and its figures. Beside it stands
    its diagnosis, None if it has none.
    """
    for member, swept, status in zip(members, swept_values(members), statuses, strict=True):
        figures: dict[str, JSON] = {}
        off = diagnosis = None
        if status.state == COMPLETED:
            run = RunFolder(Path(member.folder))
            off, figures = _figures(run)
            diagnosis = _diagnosis(run)
        found: dict[str, JSON] = {} if diagnosis is None else {DIAGNOSIS: diagnosis.short}
        row = row_of(status, figures, off)
        yield {"run_id": member.run_id, **swept, **row, **found}, diagnosis


def row_of(status: Status, figures: Mapping[str, JSON], off: int | None) -> dict[str, JSON]:
    """Return the row of a run: how it ended, its objective if it has one, its figures, and how many
    parameters are not as declared.
    """
    row: dict[str, JSON] = {
        "state": status.state,
        "seconds": status.seconds,
        "root": (status.root or "")[:ROOT],
        "error": (status.error or "").split("\n")[0],
    }
    if status.objective is not None:
        row[OBJECTIVE] = status.objective
    return row | ({} if off is None else {"parameters_off": off}) | dict(figures)


def _figures(run: RunFolder) -> tuple[int | None, dict[str, JSON]]:
    """Return how many parameters of a run differ from their declaration, and its figures."""
    try:
        stats = run.stats
    except EvidenceError:
        return None, {}
    return len(stats.off), figures_of(stats)


def _diagnosis(run: RunFolder) -> Diagnosis | None:
    try:
        return run.diagnosis
    except EvidenceError:
        return None


@dataclass(frozen=True)
class Summary:
    """What a sweep comes to: how many of its runs completed, and its settings, the best first."""

    done: int
    runs: int
    keys: list[str]
    """The swept keys, without the seed."""
    figures: list[str]
    ranked: list[Setting]
    order: str
    """What the order says: `smallest objective first`, or nothing."""
    off: bool
    """Whether a run has a parameter that is not as declared."""
    diagnosed: bool
    """Whether a run has a diagnosis."""

    @classmethod
    def of(cls, settings: Settings, done: int, runs: int, largest: bool) -> Summary:
        """Return the summary of these settings; with `largest` the largest objective is the best."""
        ranked = settings.ranked(largest)
        return cls(
            done,
            runs,
            settings.keys,
            settings.figures,
            ranked,
            _order(settings, largest),
            any(setting.off for setting in ranked),
            settings.diagnosed,
        )

    @property
    def headings(self) -> list[str]:
        """The headings of a setting's cells; `off` counts runs, where there are any."""
        return [
            *short_names(self.keys),
            "runs",
            *([DIAGNOSIS] if self.diagnosed else []),
            *self.figures,
            *(["off"] if self.off else []),
        ]

    def cells(self, setting: Setting) -> list[str]:
        """Return the row of a setting: its values, how many runs completed, its worst finding, and
        its figures.
        """
        whole = setting.completed == setting.runs
        return [
            *(setting.values.get(key, "") for key in self.keys),
            str(setting.runs) if whole else f"{setting.completed} of {setting.runs}",
            *([setting.diagnosis] if self.diagnosed else []),
            *(setting.text(name) for name in self.figures),
            *([str(setting.off or "")] if self.off else []),
        ]


def write_summary(
    folder: Path,
    members: list[Member],
    statuses: Iterable[Status] | None = None,
    largest: bool = False,
) -> Summary:
    """Write `summary.csv` for programs and `summary.md` for people; return what they say.

    With `largest`, the best objective is the largest one. The rows of runs wait in a temporary file
    until all columns are known.
    """
    keys = swept_keys(members)
    settings = Settings(keys)
    figures: dict[str, None] = {}
    done = 0
    with tempfile.TemporaryFile("w+", encoding="utf-8") as waiting:
        ended = (conclude(Path(member.folder)) for member in members)
        listed = rows(members, ended if statuses is None else statuses)
        for (row, diagnosis), swept in zip(listed, swept_values(members), strict=True):
            others = ("run_id", *keys, *FIRST, DIAGNOSIS, *LAST)
            named = [name for name in row if name not in others]
            figures |= dict.fromkeys(named)
            settings.add(swept, row, named, diagnosis)
            done += row["state"] == COMPLETED
            waiting.write(json.dumps(row) + "\n")
        first = [*FIRST, DIAGNOSIS] if settings.diagnosed else FIRST
        columns = ["run_id", *keys, *first, *figures, *LAST]

        def again() -> Iterator[dict[str, JSON]]:
            waiting.seek(0)
            return map(json.loads, waiting)

        write_csv(folder / TABLE, columns, again())
        summary = Summary.of(settings, done, len(members), largest)
        by_run = ([row.get(column) for column in columns] for row in again())
        lines = [
            f"{done} of {len(members)} runs completed",
            "",
            f"## {SETTINGS}{f', {summary.order}' if summary.order else ''}",
            "",
            *_table(summary.headings, map(summary.cells, summary.ranked)),
            "",
            "## Runs",
            "",
            *_table(columns, by_run),
        ]
        write_text(folder / SUMMARY, "\n".join(lines) + "\n")
    return summary


def _order(settings: Settings, largest: bool) -> str:
    if OBJECTIVE in settings.figures:
        return f"{'largest' if largest else 'smallest'} objective first"
    return "fewest fatal, harmful, odd findings first" if settings.diagnosed else ""


def _table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """Yield the lines of a table in Markdown."""
    yield f"| {' | '.join(columns)} |"
    yield "|" + " --- |" * len(columns)
    for row in rows:
        yield f"| {' | '.join(map(_cell, row))} |"


def _cell(value: object) -> str:
    if value is None:
        return ""
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return text.replace("|", "\\|")
