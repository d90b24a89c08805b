"""The summary of a name: `summary.csv`, a row for each run in `outputs/<name>`, and `summary.md`, a row
for each setting before them. Both are written at the end of each sweep into that folder.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from initlab.runner.errors import EvidenceError
from initlab.runner.evidence.diagnosed import Diagnosis
from initlab.runner.evidence.folder import RunFolder
from initlab.runner.evidence.members import SUMMARY, TABLE, Member, short_names, swept_keys
from initlab.runner.evidence.named import Named, NamedRun, named, varied
from initlab.runner.evidence.settings import OBJECTIVE, Setting, Settings, figures_of
from initlab.runner.evidence.status import COMPLETED, Status
from initlab.runner.files import write_csv, write_text
from initlab.runner.json_values import JSON

SPREAD = "mean ± standard deviation over seeds"
FIRST = ("state", "seconds", "parameters_off")
LAST = ("root", "error", "sweep", "started")
"""Columns of the summary between the swept values and the figures, and after the figures. `sweep` is the
number of the sweep that listed the run last, and `started` when it did; a single run has none.
"""
DIAGNOSIS = "diagnosis"
"""The column of the worst finding, after `FIRST`, if a run has a diagnosis."""


ROOT = 16
"""Digits of a root digest in a table."""


def rows(
    runs: Iterable[NamedRun], over: bool = True
) -> Iterator[tuple[dict[str, JSON], Diagnosis | None]]:
    """Yield a row for each run, without the values that vary: how it ended, and its figures. Beside it
    stands its diagnosis, None if it has none. `over` says that the last sweep has ended.
    """
    for one in runs:
        figures: dict[str, JSON] = {}
        off = diagnosis = None
        run = RunFolder(one.folder)
        status = one.status(run, over)
        if status.state == COMPLETED:
            off, figures = _figures(run)
            diagnosis = _diagnosis(run)
        row = row_of(status, figures, off)
        if diagnosis is not None:
            row[DIAGNOSIS] = diagnosis.short
        if one.sweep is not None:
            row |= {"sweep": one.sweep.number, "started": one.sweep.started}
        yield row, diagnosis


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
    others: int = 0
    """How many other runs the name has."""

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


def write_summary(folder: Path, members: list[Member], largest: bool = False) -> Summary:
    """Write `summary.csv` for programs and `summary.md` for people, about every run of the name whose
    folder this is; return what the runs of the last sweep, `members`, come to.

    With `largest`, the best objective is the largest one. The rows of runs wait in a temporary file
    until all columns are known.
    """
    runs = named(folder, members)
    keys, values = varied(runs)
    own, every = Settings(swept_keys(members)), Settings(keys)
    figures: dict[str, None] = {}
    done = done_own = 0
    with tempfile.TemporaryFile("w+", encoding="utf-8") as waiting:
        for one, swept, (row, diagnosis) in zip(runs.runs, values, rows(runs.runs), strict=True):
            others = (*keys, *FIRST, DIAGNOSIS, *LAST)
            names = [name for name in row if name not in others]
            figures |= dict.fromkeys(names)
            every.add(swept, row, names, diagnosis)
            done += row["state"] == COMPLETED
            if one.last:
                own.add(swept, row, names, diagnosis)
                done_own += row["state"] == COMPLETED
            waiting.write(json.dumps({"run_id": one.member.run_id, **swept, **row}) + "\n")
        first = [*FIRST, DIAGNOSIS] if every.diagnosed else FIRST
        columns = ["run_id", *keys, *first, *figures, *LAST]

        def again() -> Iterator[dict[str, JSON]]:
            waiting.seek(0)
            return map(json.loads, waiting)

        write_csv(folder / TABLE, columns, again())
        summary = Summary.of(own, done_own, len(members), largest)
        whole = Summary.of(every, done, len(runs.runs), largest)
        by_run = ([row.get(column) for column in columns] for row in again())
        lines = [*_parts(runs, summary, whole), "## Runs", "", *_table(columns, by_run)]
        write_text(folder / SUMMARY, "\n".join(lines) + "\n")
    return replace(summary, others=len(runs.runs) - len(members))


def summary_of(runs: Named, largest: bool = False) -> Summary:
    """Return what the runs of the last sweep of a name come to, or all of them if it has none; nothing
    is written.
    """
    chosen = runs.last or runs.runs
    settings, done = Settings(swept_keys([run.member for run in chosen])), 0
    _, values = varied(replace(runs, runs=chosen))
    for swept, (row, diagnosis) in zip(values, rows(chosen, over=False), strict=True):
        named = [name for name in row if name not in (*FIRST, DIAGNOSIS, *LAST)]
        settings.add(swept, row, named, diagnosis)
        done += row["state"] == COMPLETED
    summary = Summary.of(settings, done, len(chosen), largest)
    return replace(summary, others=len(runs.runs) - len(chosen))


def _parts(runs: Named, last: Summary, whole: Summary) -> Iterator[str]:
    """Yield the lines before the table of runs: the last sweep's settings, those of all runs if there
    are others, and the sweeps.
    """
    yield from (f"{whole.done} of {whole.runs} runs completed", "")
    if runs.others:
        yield from (f"No runs: {', '.join(runs.others)}", "")
    if last.runs < whole.runs:
        yield from ("## Sweeps", "")
        shown = [[s.number, s.started, " ".join(s.overrides)] for s in runs.sweeps]
        yield from (*_table(("sweep", "started", "words"), shown), "")
        if last.runs:
            yield from (f"{last.done} of {last.runs} runs of the last sweep completed", "")
            yield from _settings_lines("Settings of the last sweep", last)
    yield from _settings_lines("Settings", whole)


def _settings_lines(title: str, summary: Summary) -> Iterator[str]:
    """Yield the heading and the table of the settings of runs."""
    yield from (f"## {title}: {SPREAD}{f', {summary.order}' if summary.order else ''}", "")
    yield from (*_table(summary.headings, map(summary.cells, summary.ranked)), "")


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
