"""The report of a sweep: how it ended, the signal of each kind of run as small multiples, and a
table of all runs to sort, filter and compare.
"""

from __future__ import annotations

import json
import math
import statistics
import sys
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from initlab.runner.evidence.diagnosed import Diagnosis
from initlab.runner.evidence.folder import REPORT, keep_report
from initlab.runner.evidence.members import short_names, swept_keys, swept_values
from initlab.runner.evidence.settings import REPEATED
from initlab.runner.evidence.summary import DIAGNOSIS
from initlab.runner.flat import flatten, is_plain_list
from initlab.runner.json_values import JSON, finite
from initlab.runner.report import drawing
from initlab.runner.report.charts import Chart, series, weight_gradients
from initlab.runner.report.findings import diagnoses_line, diagnosis_cell
from initlab.runner.report.page import (
    cell,
    drawn,
    escaped,
    facts,
    number,
    page,
    script_data,
    section,
    table,
)
from initlab.runner.report.reading import RunData, SweepData, SweepRun
from initlab.runner.report.sections import claims_section

MOST_PANELS = 16
"""Kinds of run with a panel of their own at most."""
MOST_LINES = 30
"""Runs of a kind drawn in its panel at most."""
MOST_RATIO = 1e4
"""The largest value over the smallest in panels that share a scale at most."""
MOST_COMPARED = 2000
"""Runs that can be compared in the page at most, since it contains their settings."""
NOT_AS_DECLARED = "not as declared"
"""The column that counts the parameters that differ from their declaration."""


def write_sweep_report(folder: Path, over: bool = False) -> Path:
    """Write `report.html` into a sweep's folder.

    `over` says that the sweep has ended, so that no run can be running. A run that cannot be read
    is shown as such. Raises EvidenceError if the list of runs cannot be read, and NotInstalled
    without matplotlib.
    """
    return keep_report(folder, sweep_page(SweepData(folder, over)))


@dataclass
class RunGroup:
    """Runs that differ only in keys that repeat them, like the seed: forward rms and gradient rms
    of some, figures of all.
    """

    label: str
    signals: list[list[JSON]] = field(default_factory=list)
    gradients: list[list[JSON]] = field(default_factory=list)
    figures: dict[str, list[float]] = field(default_factory=dict)
    runs: int = 0

    def add(self, run: RunData) -> None:
        """Add a run of this kind."""
        self.runs += 1
        if run.layers and len(self.signals) < MOST_LINES:
            self.signals.append([row["rms"] for row in run.trunk])
        if run.stats.gradients and len(self.gradients) < MOST_LINES:
            self.gradients.append([row["rms"] for row in weight_gradients(run)])
        for name, value in run.stats.figures.items():
            found = finite(value)
            if found is not None:
                self.figures.setdefault(name, []).append(found)


@dataclass(frozen=True)
class TableRow:
    """A run in the table: its cells before the diagnosis, the diagnosis, the cells before the
    figures, the figures, and the cells after them.
    """

    first: str
    diagnosis: Diagnosis | None
    second: str
    figures: dict[str, JSON]
    last: str


@dataclass
class Gathered:
    """The result of one pass over the runs of a sweep."""

    rows: list[TableRow] = field(default_factory=list)
    diagnoses: list[Diagnosis] = field(default_factory=list)
    states: dict[str, int] = field(default_factory=dict)
    kinds: dict[str, RunGroup] = field(default_factory=dict)
    configs: dict[str, dict[str, str]] = field(default_factory=dict)
    figures: dict[str, None] = field(default_factory=dict)

    def table(self) -> Iterator[str]:
        """Return the rows of the table, after all figures are known."""
        for row in self.rows:
            figures = "".join(cell(row.figures.get(name)) for name in self.figures)
            found = diagnosis_cell(row.diagnosis) if self.diagnoses else ""
            yield f"<tr>{row.first}{found}{row.second}{figures}{row.last}</tr>"


def sweep_page(sweep: SweepData) -> str:
    """Return the report of a sweep. The same files give the same text."""
    with np.errstate(all="ignore"):
        return _page(sweep)


def _page(sweep: SweepData) -> str:
    keys = swept_keys(sweep.members)
    found = gather(sweep, keys)
    figures = list(found.figures)
    differing = {name for config in found.configs.values() for name in config}
    common = {
        name: value
        for name, value in next(iter(found.configs.values()), {}).items()
        if all(config.get(name) == value for config in found.configs.values())
    }
    compared = {
        run: {k: v for k, v in config.items() if k not in common}
        for run, config in found.configs.items()
    }
    diagnosis = [DIAGNOSIS] if found.diagnoses else []
    columns = ["", "run", *keys, "state", *diagnosis]
    columns += ["seconds", NOT_AS_DECLARED, *figures, "root", "error"]
    listed = list(found.kinds)
    return page(
        f"Sweep {sweep.folder.absolute().name}",
        [
            _overview(sweep, found),
            claims_section(sweep.folder),
            section(
                "Forward rms against depth",
                drawn(signal_panels(list(found.kinds.values())[:MOST_PANELS])),
                _left_out(listed),
            ),
            section(
                "Gradient rms against depth",
                drawn(gradient_panels(list(found.kinds.values())[:MOST_PANELS])),
            ),
            section(
                "Figures",
                *(drawn(figure_chart(list(found.kinds.values()), name)) for name in figures),
            ),
            section(
                "Runs",
                table("runs", columns, found.table(), "Runs of the sweep", searched=True),
                f'<p class="soft">{NOT_AS_DECLARED}: the number of parameters whose values differ '
                "from their declared law.</p>",
            ),
            section(
                "Compare",
                '<div id="comparison" aria-live="polite"></div>',
                script_data("runs-data", compared),
            )
            if differing
            else "",
            section(
                "In common",
                f"<details><summary>{len(common)} settings that all runs share</summary>"
                f"{facts((name, _rounded(value)) for name, value in common.items())}</details>",
            )
            if common
            else "",
        ],
    )


def _overview(sweep: SweepData, found: Gathered) -> str:
    done, total = found.states.get("completed", 0), len(sweep.members)
    others = ", ".join(
        f"{count} {state}" for state, count in found.states.items() if state != "completed"
    )
    style = "good" if done == total else "bad"
    return (
        f'<p class="{style}">{done} of {total} runs '
        f"completed{escaped(f'; {others}' if others else '')}.</p>"
        f"{diagnoses_line(found.diagnoses)}"
    )


def _left_out(kinds: list[str]) -> str:
    return (
        f'<p class="soft">The first {MOST_PANELS} of {len(kinds)} kinds of run are drawn.</p>'
        if len(kinds) > MOST_PANELS
        else ""
    )


def gather(sweep: SweepData, keys: list[str]) -> Gathered:
    """Read every run once. A row of the table is kept for each, and the settings of the first ones."""
    found = Gathered()
    names = dict(zip(keys, short_names(keys), strict=True))
    for entry, swept in zip(sweep.entries(), swept_values(sweep.members), strict=True):
        found.states[entry.status.state] = found.states.get(entry.status.state, 0) + 1
        measured = entry.run.stats.figures if entry.run else {}
        row = _row(sweep, entry, swept, keys)
        found.rows.append(row)
        found.diagnoses += [] if row.diagnosis is None else [row.diagnosis]
        found.figures |= dict.fromkeys(measured)
        if entry.run is None:
            continue
        told = {key: value for key, value in swept.items() if key not in REPEATED}
        kind = ", ".join(f"{key}={value}" for key, value in told.items())
        label = ", ".join(f"{names[key]}={_rounded(value)}" for key, value in told.items())
        found.kinds.setdefault(kind, RunGroup(label or "all runs")).add(entry.run)
        if len(found.configs) < MOST_COMPARED:
            config = _settings(entry.run.manifest.canonical)
            found.configs[entry.member.run_id] = (
                config
                | {name: _text(value) for name, value in measured.items()}
                | {"root digest": entry.run.manifest.digests.root}
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


def _row(sweep: SweepData, entry: SweepRun, swept: dict[str, str], keys: Iterable[str]) -> TableRow:
    name, state = entry.member.run_id, entry.status.state
    box = (
        f'<td><input type="checkbox" value="{escaped(name)}" aria-label="compare {escaped(name)}"></td>'
        if entry.run
        else "<td></td>"
    )
    link = escaped(name)
    if (sweep.folder / name / REPORT).exists():
        link = f'<a href="{escaped(name)}/{REPORT}">{link}</a>'
    off = len(entry.run.stats.off) if entry.run else None
    root = entry.run.manifest.digests.root[:16] if entry.run else ""
    style = "good" if state == "completed" and not entry.trouble else "bad"
    values = "".join(cell(_swept(swept.get(key))) for key in keys)
    return TableRow(
        f'{box}<td class="mono">{link}</td>{values}{cell(state, style)}',
        entry.run.diagnosis if entry.run else None,
        cell(entry.status.seconds) + cell(off),
        entry.run.stats.figures if entry.run else {},
        cell(root, "mono") + cell((entry.trouble or "").split("\n")[0], "long"),
    )


def _swept(value: str | None) -> float | str | None:
    """Return a swept value as a number if it is one, so that it is sorted as a number."""
    for kind in (int, float):
        try:
            found = kind(value or "")
        except ValueError:
            continue
        return found if math.isfinite(found) else value
    return value


def signal_panels(kinds: list[RunGroup]) -> Chart | None:
    """Plot forward rms against depth: a panel for each kind, a line for each run."""
    lines = [(kind.label, kind.signals) for kind in kinds]
    return _panels(lines, "signals", "Forward rms", "layer", drawing.SERIES[0])


def gradient_panels(kinds: list[RunGroup]) -> Chart | None:
    """Plot the gradient rms of weights against depth: a panel for each kind, a line for each run."""
    lines = [(kind.label, kind.gradients) for kind in kinds]
    return _panels(lines, "gradients", "Gradient rms", "weight", drawing.SERIES[2])


def _panels(
    kinds: Sequence[tuple[str, list[list[JSON]]]], name: str, what: str, unit: str, colour: str
) -> Chart | None:
    """Plot lines against depth, a panel for each kind.

    The panels share one scale, unless kinds differ by more than `MOST_RATIO`: then a kind that
    collapsed would make the lines of all others flat, and each panel has a scale of its own.
    """
    found = [(label, list(map(series, lines))) for label, lines in kinds]
    found = [(label, lines) for label, lines in found if any(map(_is_drawn, lines))]
    if not found:
        return None
    values = np.concatenate([line for _, lines in found for line in lines])
    apart = len(found) > 1 and np.nanmax(values) / np.nanmin(values) > MOST_RATIO
    columns = min(4, len(found)) if not apart else min(3, len(found))
    made = drawing.separate if apart else drawing.panels
    figure, panels = made(len(found), columns, 7.6 / columns, 1.7 if columns > 1 else 3)
    for pair, (label, lines) in zip(panels, found, strict=True):
        for rms in lines:
            mark = "." if len(rms) == 1 else None
            depth = np.arange(len(rms))
            pair.plot(depth, rms, color=colour, linewidth=0.9, alpha=0.75, marker=mark)
        title = textwrap.wrap(label, 34, break_long_words=False, break_on_hyphens=False)[:2]
        pair.set_title("\n".join(drawing.shortened(line, 34) for line in title), fontsize=7.5)
    for pair in panels if apart else panels[:1]:
        drawing.counting(pair)
        drawing.logarithmic(pair)
    if not apart and name == "signals":
        for pair in panels:
            pair.axhline(1, color=drawing.INK, linewidth=0.5, linestyle=":")
    for pair in panels[::columns]:
        pair.set_ylabel("rms", fontsize=8)
    figure.supxlabel(unit, fontsize=8, color=drawing.INK)
    ends = ((label, statistics.median(float(line[-1]) for line in lines)) for label, lines in found)
    said = f"Median rms of the last {unit}: {'; '.join(f'{a}: {b:.3g}' for a, b in ends)}."
    if apart:
        said += " Each panel has a scale of its own, as the kinds differ by more than 10000 times."
    elif name == "signals":
        said += " Dotted: 1."
    return Chart(name, f"{what} against depth, by kind of run", figure, said)


def _is_drawn(line: np.ndarray) -> bool:
    return bool(np.isfinite(line).any())


def figure_chart(kinds: list[RunGroup], name: str) -> Chart | None:
    """Plot one figure of all runs: a row of points for each kind."""
    shown = [kind for kind in kinds if kind.figures.get(name)][:40]
    if not shown or sum(len(kind.figures[name]) for kind in shown) < 2:
        return None
    figure, pair = drawing.axes(height=0.9 + 0.2 * len(shown))
    everything = [value for kind in shown for value in kind.figures[name]]
    for at, kind in enumerate(shown):
        values = kind.figures[name]
        place = np.full(len(values), len(shown) - at)
        pair.plot(
            values,
            place,
            linestyle="none",
            marker="o",
            markersize=3.5,
            alpha=0.6,
            color=drawing.SERIES[0],
        )
        pair.plot(
            [statistics.median(values)],
            [len(shown) - at],
            marker="|",
            markersize=11,
            markeredgewidth=2,
            color=drawing.SERIES[1],
        )
    pair.set_yticks(range(len(shown), 0, -1), [drawing.shortened(kind.label, 40) for kind in shown])
    pair.set_ylim(0.4, len(shown) + 0.6)
    if min(everything) > 0 and max(everything) / min(everything) > 30:
        pair.set_xscale("log")
    pair.set_xlabel(drawing.shortened(name))
    low, high = (
        min(shown, key=lambda kind: statistics.median(kind.figures[name])),
        max(shown, key=lambda kind: statistics.median(kind.figures[name])),
    )
    text = (
        f"{name} of {len(everything)} runs; a bar marks the median. Lowest: {low.label}, "
        f"{statistics.median(low.figures[name]):.4g}; "
        f"highest: {high.label}, {statistics.median(high.figures[name]):.4g}."
    )
    return Chart(f"figure-{name}", name, figure, text)
