"""A sweep's report: how it ended, the signal in every kind of run as small multiples, and all runs
in a table to sort, filter, compare.
"""

from __future__ import annotations

import json
import math
import statistics
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from initlab.runner.evidence.folder import REPORT, keep_report
from initlab.runner.evidence.members import swept_keys, swept_values
from initlab.runner.flat import flatten, is_plain_list
from initlab.runner.report import drawing
from initlab.runner.report.charts import Chart, finite, series
from initlab.runner.report.evidence import Entry, Run, Sweep
from initlab.runner.report.page import (
    cell,
    drawn,
    escaped,
    facts,
    page,
    script_data,
    section,
    table,
)

MOST_PANELS = 16
"""So many kinds of run have a panel of their own."""
MOST_LINES = 30
"""So many runs of a kind are drawn in its panel."""
MOST_COMPARED = 2000
"""So many runs can be compared in the page: what they differ in is in it."""
REPEATED = ("seed",)
"""Keys that repeat a run rather than change its kind."""


def write_sweep_report(folder: Path, over: bool = False) -> Path:
    """Write `report.html` into a sweep's folder; `over` where no run of it can be running.
    EvidenceError where its list of runs cannot be read; NotInstalled without matplotlib. A run that
    cannot be read is shown as such."""
    return keep_report(folder, sweep_page(Sweep(folder, over)))


@dataclass
class Kind:
    """Runs that differ in what repeats them only: the forward rms of some, and the figures of all."""

    label: str
    signals: list[list[Any]] = field(default_factory=list)
    figures: dict[str, list[float]] = field(default_factory=dict)
    runs: int = 0

    def add(self, run: Run) -> None:
        """One more run of this kind."""
        self.runs += 1
        if run.layers and len(self.signals) < MOST_LINES:
            self.signals.append([row["rms"] for row in run.layers])
        for name, value in run.stats.figures.items():
            found = finite(value)
            if found is not None:
                self.figures.setdefault(name, []).append(found)


@dataclass
class Gathered:
    """What one pass over the runs of a sweep leaves."""

    rows: list[tuple[str, dict[str, Any], str]] = field(default_factory=list)
    """The cells before the figures, the figures, the cells after them."""
    states: dict[str, int] = field(default_factory=dict)
    kinds: dict[str, Kind] = field(default_factory=dict)
    configs: dict[str, dict[str, str]] = field(default_factory=dict)
    figures: dict[str, None] = field(default_factory=dict)

    def table(self) -> Iterator[str]:
        """The rows of the table, once all figures are known."""
        for before, measured, after in self.rows:
            yield f"<tr>{before}{''.join(cell(measured.get(name)) for name in self.figures)}{after}</tr>"


def sweep_page(sweep: Sweep) -> str:
    """The report of a sweep; the same files give the same text."""
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
    columns = ["", "run", *keys, "state", "seconds", "off", *figures, "root", "error"]
    listed = list(found.kinds)
    return page(
        f"Sweep {sweep.folder.absolute().name}",
        [
            _overview(sweep, found),
            section(
                "Forward rms against depth",
                drawn(signal_panels(list(found.kinds.values())[:MOST_PANELS])),
                _left_out(listed),
            ),
            section(
                "Figures",
                *(drawn(figure_chart(list(found.kinds.values()), name)) for name in figures),
            ),
            section(
                "Runs", table("runs", columns, found.table(), "Runs of the sweep", searched=True)
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
                f"<details><summary>{len(common)} settings that all runs "
                f"share</summary>{facts(common.items())}</details>",
            )
            if common
            else "",
        ],
    )


def _overview(sweep: Sweep, found: Gathered) -> str:
    done, total = found.states.get("completed", 0), len(sweep.members)
    others = ", ".join(
        f"{count} {state}" for state, count in found.states.items() if state != "completed"
    )
    style = "good" if done == total else "bad"
    return (
        f'<p class="{style}">{done} of {total} runs '
        f"completed{escaped(f'; {others}' if others else '')}.</p>"
    )


def _left_out(kinds: list[str]) -> str:
    return (
        f'<p class="soft">The first {MOST_PANELS} of {len(kinds)} kinds of run are drawn.</p>'
        if len(kinds) > MOST_PANELS
        else ""
    )


def gather(sweep: Sweep, keys: list[str]) -> Gathered:
    """Read every run once; what is kept of each is a row of the table, and for the first ones their
    settings.
    """
    found = Gathered()
    for entry, swept in zip(sweep.entries(), swept_values(sweep.members), strict=True):
        found.states[entry.status.state] = found.states.get(entry.status.state, 0) + 1
        measured = entry.run.stats.figures if entry.run else {}
        before, after = _cells(sweep, entry, swept, keys)
        found.rows.append((before, measured, after))
        found.figures |= dict.fromkeys(measured)
        if entry.run is None:
            continue
        label = (
            ", ".join(f"{key}={value}" for key, value in swept.items() if key not in REPEATED)
            or "all runs"
        )
        found.kinds.setdefault(label, Kind(label)).add(entry.run)
        if len(found.configs) < MOST_COMPARED:
            config = _settings(entry.run.manifest.canonical)
            found.configs[entry.member.run_id] = (
                config
                | {name: _text(value) for name, value in measured.items()}
                | {"root digest": entry.run.manifest.digests.root}
            )
    return found


def _settings(config: dict[str, Any]) -> dict[str, str]:
    """A config as one text a leaf, by dotted key; most are the same in most runs."""
    leaves = flatten(config, is_leaf=is_plain_list)
    return {sys.intern(name): sys.intern(_text(value)) for name, value in leaves.items()}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _cells(
    sweep: Sweep, entry: Entry, swept: dict[str, str], keys: Iterable[str]
) -> tuple[str, str]:
    """One run of the table: what stands before its figures, and after them."""
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
    last = cell(state, style) + cell(entry.status.seconds) + cell(off)
    before = f'{box}<td class="mono">{link}</td>{values}{last}'
    return before, cell(root, "mono") + cell((entry.trouble or "").split("\n")[0], "long")


def _swept(value: str | None) -> Any:
    """A swept value as a number, where it is one, so that it sorts as such."""
    if value is None:
        return None
    try:
        return int(value)
    except ValueError:
        pass
    found = finite(value)
    return value if found is None else found


def signal_panels(kinds: list[Kind]) -> Chart | None:
    """Forward rms against depth, a panel a kind, a line a run, all on one scale."""
    drawn_kinds = [
        kind for kind in kinds if any(np.isfinite(series(signal)).any() for signal in kind.signals)
    ]
    if not drawn_kinds:
        return None
    columns = min(4, len(drawn_kinds))
    figure, panels = drawing.panels(
        len(drawn_kinds), columns, 7.6 / columns, 1.7 if columns > 1 else 3
    )
    ends = []
    for number, (pair, kind) in enumerate(zip(panels, drawn_kinds, strict=True)):
        for signal in kind.signals:
            rms = series(signal)
            pair.plot(
                np.arange(1, len(rms) + 1),
                rms,
                color=drawing.SERIES[number % len(drawing.SERIES)],
                linewidth=0.9,
                alpha=0.75,
                marker="." if len(rms) == 1 else None,
            )
        ends.append((kind.label, statistics.median(_last(signal) for signal in kind.signals)))
        pair.set_title(drawing.shortened(kind.label, 34), fontsize=7.5)
        pair.axhline(1, color=drawing.INK, linewidth=0.5, linestyle=":")
    drawing.logarithmic(panels[0])
    for pair in panels[::columns]:
        pair.set_ylabel("rms", fontsize=8)
    figure.supxlabel("layer", fontsize=8, color=drawing.INK)
    said = "; ".join(f"{label}: {value:.3g}" for label, value in ends)
    return Chart(
        "signals",
        "Forward rms against depth, by kind of run",
        figure,
        f"Median rms of the last layer: {said}. Dotted: 1.",
    )


def _last(signal: list[Any]) -> float:
    found = finite(signal[-1])
    return math.nan if found is None else found


def figure_chart(kinds: list[Kind], name: str) -> Chart | None:
    """One figure of all runs, a row of points a kind."""
    shown = [kind for kind in kinds if kind.figures.get(name)][:40]
    if not shown or sum(len(kind.figures[name]) for kind in shown) < 2:
        return None
    figure, pair = drawing.axes(height=0.9 + 0.2 * len(shown))
    everything = [value for kind in shown for value in kind.figures[name]]
    for number, kind in enumerate(shown):
        values = kind.figures[name]
        place = np.full(len(values), len(shown) - number)
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
            [len(shown) - number],
            marker="|",
            markersize=11,
            markeredgewidth=2,
            color=drawing.SERIES[1],
        )
    pair.set_yticks(range(len(shown), 0, -1), [drawing.shortened(kind.label, 40) for kind in shown])
    pair.set_ylim(0.4, len(shown) + 0.6)
    if min(everything) > 0 and max(everything) / min(everything) > 30:
        pair.set_xscale("log")
    pair.set_xlabel(name)
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
