"""The charts of a sweep: lines against depth or steps, a panel for each kind of run, and the values
of each figure.

Values that differ by more than `MOST_RATIO` do not share a scale, so that one run that collapsed or
exploded does not make the others look alike.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from initlab.runner.evidence.settings import figures_of
from initlab.runner.json_values import JSON, finite
from initlab.runner.report import drawing
from initlab.runner.report.charts import Chart, series, weight_gradients
from initlab.runner.report.depth import Depth, of_parameters
from initlab.runner.report.reading import RunData

MOST_PANELS = 16
"""Kinds of run with a panel of their own at most."""
MOST_LINES = 30
"""Runs of a kind drawn in its panel at most."""
MOST_ROWS = 40
"""Kinds of run in the chart of a figure at most."""
MOST_RATIO = 1e4
"""The largest value over the smallest on one scale at most."""
LOGARITHMIC = 30
"""The largest value over the smallest from which on an axis is logarithmic."""
LABEL = 22
"""Letters of a line of a label at most."""


@dataclass
class RunGroup:
    """Runs that differ only in keys that repeat them, like the seed: forward rms, gradient rms and
    losses of some, figures of all.
    """

    label: str
    signals: list[list[JSON]] = field(default_factory=list)
    gradients: list[list[JSON]] = field(default_factory=list)
    weights: list[str] = field(default_factory=list)
    """The paths of the weights that have a gradient."""
    losses: list[list[JSON]] = field(default_factory=list)
    unit: str = "step"
    """What a row of a training is: `step` or `epoch`."""
    figures: dict[str, list[float]] = field(default_factory=dict)
    not_finite: dict[str, int] = field(default_factory=dict)
    """Figure -> runs of which it is NaN or infinite."""

    def add(self, run: RunData) -> None:
        """Add a run of this kind."""
        if run.stats.training:
            self.unit = "step" if "step" in run.stats.training[0] else "epoch"
        weights = weight_gradients(run.stats)
        self.weights = self.weights or [row["path"] for row in weights]
        lines = (
            (self.signals, [row["rms"] for row in run.trunk]),
            (self.gradients, [row["rms"] for row in weights]),
            (self.losses, [row.get("loss") for row in run.stats.training]),
        )
        for kept, line in lines:
            if line and len(kept) < MOST_LINES:
                kept.append(line)
        for name, value in figures_of(run.stats).items():
            found = finite(value)
            if found is not None:
                self.figures.setdefault(name, []).append(found)
            elif value is not None:
                self.not_finite[name] = self.not_finite.get(name, 0) + 1


@dataclass(frozen=True)
class Panels:
    """Small charts beside each other, and what is said of all of them."""

    charts: tuple[Chart, ...]
    description: str


def signal_panels(kinds: Sequence[RunGroup]) -> Panels | None:
    """Plot forward rms against depth."""
    lines = [(kind.label, kind.signals) for kind in kinds]
    return _panels(lines, "signals", "Forward rms", "rms", "layer", drawing.FORWARD)


def gradient_panels(kinds: Sequence[RunGroup]) -> Panels | None:
    """Plot the gradient rms of weights against depth: a line for each weight of a block, where blocks
    have several.
    """
    lines = [(kind.label, kind.gradients) for kind in kinds]
    paths = next((kind.weights for kind in kinds if kind.weights), [])
    depth = of_parameters(paths)
    return _panels(lines, "gradients", "Gradient rms", "rms", "weight", drawing.GRADIENT, depth)


def loss_panels(kinds: Sequence[RunGroup]) -> Panels | None:
    """Plot the loss against epochs or steps."""
    lines = [(kind.label, kind.losses) for kind in kinds]
    unit = next((kind.unit for kind in kinds if kind.losses), "step")
    return _panels(lines, "losses", "Loss", "loss", unit, drawing.FIGURE)


def _panels(
    kinds: Sequence[tuple[str, list[list[JSON]]]],
    name: str,
    what: str,
    axis: str,
    unit: str,
    colour: str,
    depth: Depth | None = None,
) -> Panels | None:
    """Plot lines, a panel for each kind and a line for each run; if several values of a line share a
    place in `depth`, a line for each of them.

    The panels share one scale, unless a kind would be flat on it (`apart`): then each panel has a
    scale of its own.
    """
    given = [(label, list(map(series, lines))) for label, lines in kinds if lines]
    found = [(label, lines) for label, lines in given if any(map(_is_drawn, lines))]
    if not found:
        return None
    shown = found[:MOST_PANELS]
    spans = [_span(lines) for _, lines in shown]
    own = apart(spans)
    shared = (min(low for low, _ in spans) / 1.15, max(high for _, high in spans) * 1.15)
    charts = []
    for number, (label, lines) in enumerate(shown):
        figure, pair = drawing.axes(width=3.4, height=2.0)
        for line in lines:
            for x, y in _parted(line, depth):
                mark = "." if len(y) == 1 else None
                pair.plot(x, y, color=colour, linewidth=0.9, alpha=0.75, marker=mark)
        if not own:
            pair.set_ylim(shared)
        drawing.counting(pair)
        drawing.logarithmic(pair)
        pair.set_ylabel(axis)
        pair.set_xlabel("block" if depth is not None and depth.shared else unit)
        pair.set_title(drawing.wrapped(label, 2 * LABEL, 3), fontsize=8, loc="left")
        low, high = spans[number]
        said = f"{label}: {axis} from {low:.3g} to {high:.3g}."
        charts.append(Chart(f"{name}-{number}", f"{what}, {label}", figure, said))
    return Panels(tuple(charts), _said(given, found, unit, own))


def _parted(line: np.ndarray, depth: Depth | None) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the places and the values of the lines that a line of values is drawn as."""
    if depth is None or not depth.shared or len(depth.x) != len(line):
        yield np.arange(1, len(line) + 1), line
        return
    alone = np.array([not kind for kind in depth.kinds])
    for at in np.flatnonzero(alone):
        yield depth.x[[at]], line[[at]]
    for kind in dict.fromkeys(kind for kind in depth.kinds if kind):
        among = np.array([one == kind for one in depth.kinds])
        yield depth.x[among], line[among]


def apart(spans: Sequence[tuple[float, float]]) -> bool:
    """Return whether one of these intervals of values would be flat on a scale that shows all: the
    scale would be more than `MOST_RATIO` times as long as the interval, in ratios.
    """
    logs = [(math.log(low), math.log(high)) for low, high in spans]
    whole = max(high for _, high in logs) - min(low for low, _ in logs)
    return whole - min(high - low for low, high in logs) > math.log(MOST_RATIO)


def _span(lines: Sequence[np.ndarray]) -> tuple[float, float]:
    values = np.concatenate(list(lines))
    return float(np.nanmin(values)), float(np.nanmax(values))


def _said(
    given: Sequence[tuple[str, list[np.ndarray]]],
    found: Sequence[tuple[str, list[np.ndarray]]],
    unit: str,
    own: bool,
) -> str:
    """Return what the panels together say, and what they leave out."""
    ends = ((label, [float(line[-1]) for line in lines]) for label, lines in found[:MOST_PANELS])
    medians = ((label, statistics.median(found)) for label, found in ends)
    said = f"Median of the last {unit}: {'; '.join(f'{a}: {b:.3g}' for a, b in medians)}."
    if own:
        said += (
            " Each panel has a scale of its own, since the kinds differ by more than 10000 times."
        )
    drawn = {label for label, _ in found}
    empty = [label for label, _ in given if label not in drawn]
    if empty:
        said += f" Without a panel, since all values are 0 or not finite: {', '.join(empty)}."
    if len(found) > MOST_PANELS:
        said += f" The first {MOST_PANELS} of {len(found)} kinds of run are drawn."
    return said


def _is_drawn(line: np.ndarray) -> bool:
    return bool(np.isfinite(line).any())


def all_alike(kinds: Sequence[RunGroup], name: str) -> str:
    """Return the sentence that a figure is the same in all runs, which needs no chart; '' if not."""
    values = {value for kind in kinds for value in kind.figures.get(name, [])}
    count = sum(len(kind.figures.get(name, [])) for kind in kinds)
    others = sum(kind.not_finite.get(name, 0) for kind in kinds)
    if len(values) != 1 or count < 2 or others:
        return ""
    return f"{name} is {values.pop():.4g} in all {count} runs."


def figure_chart(kinds: Sequence[RunGroup], name: str) -> Chart | None:
    """Plot one figure of all runs: a row of points for each kind. Kinds whose values differ by more
    than `MOST_RATIO` have an axis of their own, in the order of their size.
    """
    shown = [kind for kind in kinds if kind.figures.get(name)][:MOST_ROWS]
    everything = [value for kind in shown for value in kind.figures[name]]
    if len(everything) < 2 or len(set(everything)) == 1:
        return None
    parts = _by_size(shown, name)
    labels = {id(kind): drawing.wrapped(kind.label, LABEL, 2) for kind in shown}
    heights = [sum(0.12 + 0.13 * (1 + labels[id(k)].count("\n")) for k in part) for part in parts]
    figure, pairs = drawing.stacked([height + 0.15 for height in heights])
    for pair, part in zip(pairs, parts, strict=True):
        _rows(pair, part, name, [labels[id(kind)] for kind in part])
    pairs[-1].set_xlabel(drawing.shortened(name))
    return Chart(f"figure-{name}", name, figure, _values_said(kinds, shown, name, len(parts)))


def _by_size(kinds: Sequence[RunGroup], name: str) -> list[list[RunGroup]]:
    """Return the kinds in parts whose largest values differ by at most `MOST_RATIO`, or are 0; each
    part in the order of the sweep.
    """
    sizes = {id(kind): max(map(abs, kind.figures[name])) for kind in kinds}
    parts: list[list[RunGroup]] = []
    for kind in sorted(kinds, key=lambda kind: -sizes[id(kind)]):
        size = sizes[id(kind)]
        if not parts or size and sizes[id(parts[-1][0])] / size > MOST_RATIO:
            parts.append([])
        parts[-1].append(kind)
    return [[kind for kind in kinds if kind in part] for part in parts]


def _rows(pair: drawing.Axes, kinds: Sequence[RunGroup], name: str, labels: list[str]) -> None:
    """Plot a row of points for each kind, with a bar at the median."""
    for at, kind in enumerate(kinds):
        values = kind.figures[name]
        place = np.full(len(values), len(kinds) - at)
        pair.plot(
            values,
            place,
            linestyle="none",
            marker="o",
            markersize=3.5,
            alpha=0.7,
            color=drawing.FIGURE,
        )
        pair.plot(
            [statistics.median(values)],
            place[:1],
            marker="|",
            markersize=11,
            markeredgewidth=1.6,
            color=drawing.INK,
        )
    pair.set_yticks(range(len(kinds), 0, -1), labels)
    pair.tick_params(axis="y", labelsize=7.5)
    pair.set_ylim(0.4, len(kinds) + 0.6)
    values = [value for kind in kinds for value in kind.figures[name]]
    if min(values) > 0 and max(values) / min(values) > LOGARITHMIC:
        pair.set_xscale("log")
    else:
        drawing.few_ticks(pair)


def _values_said(
    kinds: Sequence[RunGroup], shown: Sequence[RunGroup], name: str, parts: int
) -> str:
    medians = [(statistics.median(kind.figures[name]), kind.label) for kind in shown]
    low, high = min(medians, key=lambda pair: pair[0]), max(medians, key=lambda pair: pair[0])
    count = sum(len(kind.figures[name]) for kind in shown)
    text = (
        f"{name} of {count} runs; a bar marks the median. Lowest: {low[1]}, {low[0]:.4g}; "
        f"highest: {high[1]}, {high[0]:.4g}."
    )
    if parts > 1:
        text += " Kinds that differ by more than 10000 times have an axis of their own."
    lacking = {kind.label: kind.not_finite[name] for kind in kinds if kind.not_finite.get(name)}
    if lacking:
        listed = ", ".join(f"{count} of {label}" for label, count in lacking.items())
        text += f" Not finite, and not drawn: {listed}."
    return text
