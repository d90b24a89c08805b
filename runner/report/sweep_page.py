"""The report of a name, or of its last sweep: how its runs ended, the settings with the best first, charts
of each kind of run, and a table of all runs to sort, filter and compare.
"""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from initlab.runner.evidence.diagnosed import Diagnosis
from initlab.runner.evidence.folder import REPORT, keep_report
from initlab.runner.evidence.members import short_names
from initlab.runner.evidence.named import varied
from initlab.runner.evidence.settings import OBJECTIVE, REPEATED, Setting, Settings, figures_of
from initlab.runner.evidence.status import COMPLETED
from initlab.runner.evidence.summary import DIAGNOSIS, ROOT, Summary, row_of
from initlab.runner.flat import flatten, is_plain_list
from initlab.runner.json_values import JSON
from initlab.runner.json_values import number as number_of
from initlab.runner.report.charts import Chart
from initlab.runner.report.findings import diagnoses_line, diagnosis_cell, worst_cell
from initlab.runner.report.page import (
    broken,
    cell,
    drawn,
    escaped,
    facts,
    number,
    page,
    script_data,
    section,
    small,
    soft,
    table,
)
from initlab.runner.report.reading import SweepData
from initlab.runner.report.sections import claims_section
from initlab.runner.report.sweep_charts import (
    RunGroup,
    all_alike,
    figure_chart,
    gradient_panels,
    loss_panels,
    signal_panels,
)

MOST_COMPARED = 2000
"""Runs that can be compared in the page at most, since it contains their settings."""
NOT_AS_DECLARED = "not as declared"
"""The column that counts the parameters that differ from their declaration."""


def write_sweep_report(folder: Path, over: bool = False, last: bool = False) -> Path:
    """Write `report.html` into the folder of a name, about all runs in it, or with `last` about those
    of the last sweep.

    `over` says that the last sweep has ended, so that no run of it can be running. A run that cannot
    be read is shown as such. Raises EvidenceError if the list of runs cannot be read, and NotInstalled
    without matplotlib.
    """
    return keep_report(folder, sweep_page(SweepData(folder, over, last)))


@dataclass(frozen=True)
class TableRow:
    """A run in the table: how it ended, and what it measured if its results can be read."""

    name: str
    state: str
    seconds: float | None
    trouble: str
    linked: bool
    """Whether the run has a report of its own."""
    measured: bool
    swept: dict[str, str]
    figures: dict[str, JSON]
    diagnosis: Diagnosis | None
    off: int
    root: str
    sweep: int | None
    """The number of the sweep that listed it last."""
    last: bool
    """Whether that is the last sweep."""
    place: str
    """Its folder, seen from the report's."""


@dataclass
class Gathered:
    """The result of one pass over the runs of a name."""

    settings: Settings
    rows: list[TableRow] = field(default_factory=list)
    states: dict[str, int] = field(default_factory=dict)
    kinds: dict[str, RunGroup] = field(default_factory=dict)
    configs: dict[str, dict[str, str]] = field(default_factory=dict)
    figures: dict[str, None] = field(default_factory=dict)

    @property
    def done(self) -> int:
        """How many runs completed."""
        return self.states.get(COMPLETED, 0)

    @property
    def mixed(self) -> bool:
        """Whether there are runs of the last sweep, and others."""
        return len({row.last for row in self.rows}) > 1

    @property
    def diagnoses(self) -> list[Diagnosis]:
        """The diagnoses of all runs that have one."""
        return [row.diagnosis for row in self.rows if row.diagnosis is not None]


def sweep_page(sweep: SweepData) -> str:
    """Return the report of a name. The same files give the same text."""
    with np.errstate(all="ignore"):
        return _page(sweep)


def _page(sweep: SweepData) -> str:
    keys, values = varied(sweep.named)
    found = gather(sweep, keys, values)
    summary = Summary.of(found.settings, found.done, len(found.rows), sweep.largest)
    return page(
        f"{'Sweep' if sweep.named.last else 'Runs'} {sweep.folder.absolute().name}",
        [
            _overview(sweep, found),
            claims_section(sweep.folder),
            _settings_section(summary),
            _charts_section(found),
            section("Runs", _runs_table(found, keys)),
            *_comparison(found.configs),
        ],
    )


def _charts_section(found: Gathered) -> str:
    kinds = list(found.kinds.values())
    panels = (signal_panels(kinds), gradient_panels(kinds), loss_panels(kinds))
    titles = ("Forward rms against depth", "Gradient rms against depth", "Training loss")
    parts = [
        f"<h3>{title}</h3>\n{small(made.charts)}\n{soft(made.description)}"
        for title, made in zip(titles, panels, strict=True)
        if made is not None
    ]
    names = list(found.figures)
    values = drawn(*(figure_chart(kinds, name) for name in names))
    same = soft(" ".join(filter(None, (all_alike(kinds, name) for name in names))))
    return section("Charts", *parts) + section("Figures", values, same)


def sweep_charts(folder: Path, last: bool = False) -> list[Chart]:
    """Return the charts of a name's report. Errors are those of `write_sweep_report`."""
    sweep = SweepData(folder, False, last)
    with np.errstate(all="ignore"):
        found = gather(sweep, *varied(sweep.named))
        kinds = list(found.kinds.values())
        panels = (signal_panels(kinds), gradient_panels(kinds), loss_panels(kinds))
        values = [figure_chart(kinds, name) for name in found.figures]
    charts = [chart for made in panels if made is not None for chart in made.charts]
    return [*charts, *(chart for chart in values if chart is not None)]


def _comparison(configs: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Return the sections of what runs differ in and of what they share."""
    common = {
        name: value
        for name, value in next(iter(configs.values()), {}).items()
        if all(config.get(name) == value for config in configs.values())
    }
    compared = {
        run: {k: v for k, v in config.items() if k not in common} for run, config in configs.items()
    }
    place = '<div id="comparison" aria-live="polite"></div>'
    listed = facts((name, _rounded(value)) for name, value in common.items())
    shared = (
        f"<details><summary>{len(common)} settings that all runs share</summary>{listed}</details>"
    )
    return [
        section("Compare", place, script_data("runs-data", compared)) if configs else "",
        section("In common", shared) if common else "",
    ]


def _overview(sweep: SweepData, found: Gathered) -> str:
    done, total = found.done, len(found.rows)
    others = ", ".join(
        f"{count} {state}" for state, count in found.states.items() if state != COMPLETED
    )
    style = "good" if done == total else "bad"
    return (
        f'<p class="{style}">{done} of {total} runs '
        f"completed{escaped(f'; {others}' if others else '')}.</p>"
        f"{_sweeps_line(sweep, found)}{diagnoses_line(found.diagnoses)}"
    )


def _sweeps_line(sweep: SweepData, found: Gathered) -> str:
    """Return how the last sweep ended, with a box that hides the other runs; '' if there are none.
    Folders that hold no run are named.
    """
    aside = sweep.named.others
    others = soft(f"Folders without a run: {', '.join(aside)}." if aside else "")
    last = next((one.sweep for one in sweep.named.last), None)
    if not found.mixed or last is None:
        return others
    own = [row for row in found.rows if row.last]
    done = sum(row.state == COMPLETED for row in own)
    since = f", started {last.started}" if last.started else ""
    return (
        f"<p>The last sweep, number {last.number}{escaped(since)}: {done} of {len(own)} runs completed. "
        '<label><input type="checkbox" id="only-last"> only the last sweep in the tables</label></p>'
        f"{soft('The charts show all runs; initlab report DIR --last draws the last sweep alone.')}{others}"
    )


def _settings_section(summary: Summary) -> str:
    """Return the table of settings, the best first, as the terminal and `summary.md` have it; '' of a
    single setting.
    """
    if len(summary.ranked) < 2:
        return ""
    keys = len(summary.keys)
    rows = [_setting_row(summary, setting) for setting in summary.ranked]
    earlier = {at for at, setting in enumerate(summary.ranked) if not setting.last}
    made = table(
        "settings", summary.headings, rows, "Settings of the runs", first=keys + 3, earlier=earlier
    )
    repeated = any(setting.runs > 1 and setting.figures for setting in summary.ranked)
    said = "; ".join(
        [
            *["mean ± standard deviation over seeds"] * repeated,
            *[summary.order] * bool(summary.order),
        ]
    )
    return section("Settings", made, soft(f"{said[:1].upper()}{said[1:]}." if said else ""))


def _setting_row(summary: Summary, setting: Setting) -> list[str]:
    """Return the cells of a setting; a figure is sorted by its mean, a diagnosis by how bad it is."""
    cells = []
    for name, text in zip(summary.headings, summary.cells(setting), strict=True):
        spread = setting.figures.get(name)
        if name == DIAGNOSIS:
            cells.append(worst_cell(setting.worst, text))
        elif spread is not None:
            said = escaped(text).replace("± ", "±\u00a0")
            cells.append(f'<td class="n" data-value="{spread.mean!r}">{said}</td>')
        else:
            cells.append(_swept_cell(text))
    return cells


def _runs_table(found: Gathered, keys: Sequence[str]) -> str:
    """Return the table of runs. What all runs have alike, as that they completed, is no column."""
    figures = [
        name
        for name in found.figures
        if any(number_of(r.figures.get(name)) is not None for r in found.rows)
    ]
    whole = found.done == len(found.rows) and not any(row.trouble for row in found.rows)
    off, diagnosed = any(row.off for row in found.rows), bool(found.diagnoses)
    columns = ["", *short_names(keys), *([] if whole else ["state"])]
    columns += [DIAGNOSIS] * diagnosed
    first = len(columns) + 1
    columns += [*figures, *([NOT_AS_DECLARED] if off else []), "seconds", "run", "root"]
    columns += ["sweep"] * found.mixed + ([] if whole else ["error"])
    rows = []
    for row in found.rows:
        name = escaped(row.name)
        box = f'<td><input type="checkbox" value="{name}" aria-label="compare {name}"></td>'
        link = (
            f'<a href="{escaped(row.place)}/{REPORT}">{broken(row.name)}</a>'
            if row.linked
            else broken(row.name)
        )
        good = row.state == COMPLETED and not row.trouble
        rows.append(
            [
                box if row.measured else "<td></td>",
                *(_swept_cell(row.swept.get(key)) for key in keys),
                *([] if whole else [cell(row.state, "good" if good else "bad")]),
                *([diagnosis_cell(row.diagnosis)] if diagnosed else []),
                *(cell(row.figures.get(figure)) for figure in figures),
                *([cell(row.off)] if off else []),
                cell(row.seconds),
                f'<td class="mono">{link}</td>',
                cell(row.root, "mono root"),
                *([cell(row.sweep)] if found.mixed else []),
                *([] if whole else [cell(row.trouble, "long")]),
            ]
        )
    earlier = {at for at, row in enumerate(found.rows) if not row.last}
    made = table("runs", columns, rows, "All runs", first, searched=True, earlier=earlier)
    said = (
        f"{NOT_AS_DECLARED}: the number of parameters whose values differ from their declared law."
    )
    return made + soft(said if off else "")


def gather(sweep: SweepData, keys: Sequence[str], values: Sequence[dict[str, str]]) -> Gathered:
    """Read every run once. A row of the table is kept for each, and the settings of the first ones.
    `values` are those of the keys that vary, of each run.
    """
    found = Gathered(Settings(keys))
    names = dict(zip(keys, short_names(keys), strict=True))
    for entry, swept in zip(sweep.entries(), values, strict=True):
        found.states[entry.status.state] = found.states.get(entry.status.state, 0) + 1
        run = entry.run
        measured = figures_of(run.stats) if run else {}
        off = len(run.stats.off) if run else 0
        diagnosis = run.diagnosis if run else None
        root = run.manifest.digests.root[:ROOT] if run else ""
        place = os.path.relpath(entry.named.folder, sweep.folder)
        linked = (entry.named.folder / REPORT).exists()
        of_sweep = entry.named.sweep
        found.rows.append(
            TableRow(
                entry.member.run_id,
                entry.status.state,
                entry.status.seconds,
                (entry.trouble or "").split("\n")[0],
                linked,
                run is not None,
                swept,
                measured,
                diagnosis,
                off,
                root,
                None if of_sweep is None else of_sweep.number,
                entry.named.last,
                place,
            )
        )
        found.figures |= dict.fromkeys(measured)
        judged = row_of(entry.status, measured, off)
        found.settings.add(swept, judged, [OBJECTIVE, *measured], diagnosis, entry.named.last)
        if run is None:
            continue
        told = {key: value for key, value in swept.items() if key not in REPEATED}
        kind = ", ".join(f"{key}={value}" for key, value in told.items())
        label = ", ".join(f"{names[key]}={_rounded(value)}" for key, value in told.items())
        found.kinds.setdefault(kind, RunGroup(label or "all runs")).add(run)
        if len(found.configs) < MOST_COMPARED:
            config = _settings(run.manifest.canonical)
            found.configs[entry.member.run_id] = (
                config
                | {name: _text(value) for name, value in measured.items()}
                | {"root digest": run.manifest.digests.root}
            )
    return found


def _rounded(value: str) -> str:
    """Return a number in few digits, and any other text as it is."""
    found = _swept(value)
    return number(found) if isinstance(found, float) else value


def _settings(config: Mapping[str, JSON]) -> dict[str, str]:
    """Return a config as {dotted key: text of the value}. Texts are shared between runs where
    equal.
    """
    leaves = flatten(config, is_leaf=is_plain_list)
    return {sys.intern(name): sys.intern(_text(value)) for name, value in leaves.items()}


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _swept_cell(value: str | None) -> str:
    found = _swept(value)
    if isinstance(found, str) and found:
        return f'<td class="word">{broken(found)}</td>'
    return cell(found)


def _swept(value: str | None) -> float | str | None:
    """Return a swept value as a number if it is one, so that it is sorted as a number."""
    for kind in (int, float):
        try:
            found = kind(value or "")
        except ValueError:
            continue
        return found if math.isfinite(found) else value
    return value
