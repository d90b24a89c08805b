"""The charts of a run and of a sweep, as matplotlib figures.

matplotlib is BSD-licensed and well maintained, and its SVG prints well and scales on a phone. Each
builder takes plain data and returns a figure. Colours that follow the page's theme are placeholders
(see `runner.report.svg`). Each colour has one meaning (`runner.report.drawing`) and is one that
colour-blind readers can tell apart; marks and dashes distinguish lines without colour.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from initlab.runner import json_values
from initlab.runner.evidence.statistics import Statistics, mode_text
from initlab.runner.json_values import finite
from initlab.runner.report import drawing
from initlab.runner.report.depth import Depth, of_layers, of_parameters
from initlab.runner.report.prediction import predicted_rms
from initlab.runner.report.reading import SAMPLE, RunData, read_run

if TYPE_CHECKING:
    from initlab.runner.report.drawing import Axes, Figure

SIGMAS = 5
MOST_TENSORS = 12
"""Histograms and weight tiles shown for a run at most."""
MOST_NAMES = 28
"""Names shown on an axis at most; of more, every second or third."""
MOST_NAMED = 3
"""Tensors that a description names at most."""
BARS = 60
MOST_MARKS = 60
"""Points of a training that have a mark each at most."""


@dataclass(frozen=True)
class Chart:
    """A figure with a short name for files and tags, a title, and a description in words and
    numbers.
    """

    name: str
    title: str
    figure: Figure
    description: str


def run_charts(folder: Path) -> list[Chart]:
    """Return the charts of a finished run.

    Raises EvidenceError if the run cannot be read, and NotInstalled without matplotlib.
    """
    run = read_run(folder)
    made = [
        signal_chart(run),
        gradient_chart(run),
        deviation_chart(run),
        training_chart(run),
        *histogram_charts(run),
    ]
    return [chart for chart in made if chart is not None]


def series(values: Sequence[Any]) -> np.ndarray:
    """Return numbers for a logarithmic axis: values that are not positive and finite become gaps."""
    numbers = (finite(value) for value in values)
    return np.array([math.nan if number is None or number <= 0 else number for number in numbers])


def signal_chart(run: RunData) -> Chart | None:
    """Plot the forward rms of every layer's output and of its activation's input, with theory if
    known.

    A line joins the layers from the input to the output; those inside a block are beside it.
    """
    layers = run.layers
    trunk = np.array([not row.get("inside") for row in layers], bool)
    rms = series([row["rms"] for row in layers])
    if not np.isfinite(rms).any():
        return None
    figure, axes = drawing.axes()
    depth = of_layers(layers)
    size = _size(len(depth.x))
    colour = drawing.FORWARD
    axes.plot(depth.x[trunk], rms[trunk], marker="o", markersize=size, color=colour, label="output")
    if np.isfinite(rms[~trunk]).any():
        axes.plot(
            depth.x[~trunk],
            rms[~trunk],
            marker="o",
            markersize=0.8 * size,
            markerfacecolor="none",
            linestyle="none",
            color=colour,
            label="inside a block",
        )
    before = series([row.get("pre_rms") for row in layers])
    if np.isfinite(before).any():
        axes.plot(
            depth.x,
            before,
            marker="s",
            markersize=0.8 * size,
            markerfacecolor="none",
            linestyle="none" if depth.shared else ":",
            color=drawing.BEFORE,
            label="before the activation",
        )
    said = _theory(axes, run, depth, rms)
    drawing.logarithmic(axes)
    drawing.named(axes, depth.names, MOST_NAMES)
    axes.set_ylabel("rms")
    drawing.legend(axes)
    first, last = (_number(run.trunk[at]["rms"]) for at in (0, -1))
    of = f"{trunk.sum()} layers" + ("" if trunk.all() else " and blocks")
    mode = "" if run.stats.mode is None else f" Measured in {mode_text(run.stats.mode)}."
    text = (
        f"The output's rms goes from {first:.3g} in the first of {of} to {last:.3g} in the "
        f"last.{said}{_gaps(rms)}{mode}"
    )
    return Chart("signal", "Forward: rms against depth", figure, text)


def _theory(axes: Axes, run: RunData, depth: Depth, rms: np.ndarray) -> str:
    """Plot the predicted rms if it is known; return a sentence about it."""
    predicted = predicted_rms(run)
    if predicted is None:
        return ""
    theory = series([predicted.get(row["path"]) for row in run.layers])
    axes.plot(depth.x, theory, linestyle="--", color=drawing.INK, label="output, theory")
    off = np.nanmax(np.abs(np.log(rms / theory)))
    return (
        " Theory for wide layers, from the first layer's measured input on, is off by a factor of "
        f"{math.exp(off):.3g} at most."
    )


def _size(count: int) -> float:
    """Return the size of a mark, smaller where there are many."""
    return 4.0 if count <= 40 else 2.8


def _number(value: object) -> float:
    """Return a figure as a number, NaN if there is none."""
    return math.nan if (found := json_values.number(value)) is None else found


def _gaps(values: np.ndarray) -> str:
    """Return a sentence about values that a logarithmic axis cannot show, or nothing."""
    count = int((~np.isfinite(values)).sum())
    return f" Not drawn, since they are 0 or not finite: {count} of {len(values)}." if count else ""


def weight_gradients(stats: Statistics) -> list[dict[str, Any]]:
    """Return the rows of the gradients of weights, with `path` and `rms`: those of all parameters if
    none is a weight; of a training, those of its first step.
    """
    rows = stats.gradients
    if not rows and stats.updates:
        first = stats.updates[0].get("step")
        rows = [
            {"path": str(row["path"]), "rms": row.get("gradient_rms")}
            for row in stats.updates
            if row.get("step") == first and "path" in row
        ]
    return [row for row in rows if str(row["path"]).endswith("weight")] or rows


def gradient_chart(run: RunData) -> Chart | None:
    """Plot the gradient rms of every weight against depth: a line through the weights, or where a
    block has several one for each of them.
    """
    rows = weight_gradients(run.stats)
    rms = series([row["rms"] for row in rows])
    if not np.isfinite(rms).any():
        return None
    figure, axes = drawing.axes()
    depth = of_parameters([row["path"] for row in rows])
    size = _size(len(rms))
    colour = drawing.GRADIENT
    kinds = list(dict.fromkeys(kind for kind in depth.kinds if kind))
    for at, kind in enumerate(kinds):
        among = np.array([one == kind for one in depth.kinds])
        axes.plot(
            depth.x[among],
            rms[among],
            marker=drawing.MARKERS[1:][at % (len(drawing.MARKERS) - 1)],
            markersize=size,
            linestyle=drawing.DASHES[at % len(drawing.DASHES)],
            linewidth=0.9,
            color=colour,
            label=drawing.shortened(kind),
        )
    alone = np.array([not kind for kind in depth.kinds])
    if alone.any():
        axes.plot(
            depth.x[alone],
            rms[alone],
            marker=drawing.MARKERS[0],
            markersize=size,
            linestyle="none" if kinds else "-",
            color=colour,
            label="others",
        )
    drawing.logarithmic(axes)
    drawing.named(axes, depth.names, MOST_NAMES)
    axes.set_ylabel("gradient rms")
    if kinds:
        drawing.legend(axes)
    first, last = (_number(rows[at]["rms"]) for at in (0, -1))
    ends = f"from {first:.3g} in the first of {len(rows)} weights to {last:.3g} in the last"
    ratio = f", a ratio of {rms[0] / rms[-1]:.3g}" if np.isfinite(rms[[0, -1]]).all() else ""
    step = "" if run.stats.gradients else " at the first step"
    text = f"The gradient's rms{step} goes {ends}{ratio}.{_gaps(rms)}"
    return Chart("gradient", "Backward: gradient rms against depth", figure, text)


def deviation_chart(run: RunData) -> Chart | None:
    """Plot measured over declared standard deviation of every random tensor, with five standard
    errors.
    """
    rows = []
    for row in run.stats.parameters:
        declared, measured = finite(row.get("declared_std")), finite(row.get("std"))
        if declared and measured is not None:
            rows.append((row["path"], measured / declared, band(run, row)))
    if not rows:
        return None
    figure, axes = drawing.axes()
    depth = of_parameters([path for path, _, _ in rows])
    bands = np.array([math.nan if width is None else width for _, _, width in rows])
    axes.errorbar(
        depth.x,
        np.ones(len(rows)),
        yerr=bands,
        fmt="none",
        ecolor=drawing.INK,
        elinewidth=0.8,
        alpha=0.55,
        capsize=2 if len(rows) <= MOST_NAMES else 1,
        label=f"declared, with {SIGMAS} standard errors",
    )
    axes.axhline(1, color=drawing.INK, linewidth=0.8)
    ratio = np.array([value for _, value, _ in rows])
    axes.plot(
        depth.x,
        ratio,
        linestyle="none",
        marker="o",
        markersize=_size(len(rows)),
        color=drawing.VALUES,
        label="measured",
    )
    drawing.named(axes, depth.names, MOST_NAMES)
    axes.set_ylabel("std, measured / declared")
    drawing.legend(axes)
    outside = [path for path, value, width in rows if width is not None and abs(value - 1) > width]
    named = f": {', '.join(outside[:MOST_NAMED])}" if outside else ""
    more = " and others" if len(outside) > MOST_NAMED else ""
    text = (
        f"{len(rows)} tensors, {len(outside)} of them outside {SIGMAS} standard errors{named}{more}; "
        f"ratios from {ratio.min():.4g} to {ratio.max():.4g}."
    )
    return Chart("deviation", "Measured over declared standard deviation", figure, text)


def band(run: RunData, row: dict[str, Any]) -> float | None:
    """Return five standard errors of std / declared std: 5/2 sqrt((excess kurtosis + 2) / n).

    Returns None if the elements depend on each other or the law states no kurtosis.
    """
    law, count = run.law(row["path"]), finite(row.get("count"))
    if law is None or law.kurtosis is None or not count:
        return None
    return SIGMAS * 0.5 * math.sqrt((law.kurtosis + 2) / count)


def training_chart(run: RunData) -> Chart | None:
    """Plot the loss against epochs or steps."""
    rows = run.stats.training
    loss = series([row.get("loss") for row in rows])
    if not np.isfinite(loss).any():
        return None
    unit = "step" if "step" in rows[0] else "epoch"
    figure, axes = drawing.axes()
    axes.plot(
        np.array([finite(row.get(unit)) for row in rows], np.float64),
        loss,
        marker="o" if len(rows) <= MOST_MARKS else None,
        markersize=3,
        color=drawing.FIGURE,
    )
    drawing.logarithmic(axes)
    axes.set_xlabel(unit)
    axes.set_ylabel("loss")
    found = loss[np.isfinite(loss)]
    return Chart(
        "training",
        "Training loss",
        figure,
        f"The loss goes from {found[0]:.4g} to {found[-1]:.4g} in {len(rows)} {unit}s.{_gaps(loss)}",
    )


def histogram_charts(run: RunData) -> list[Chart]:
    """Plot histograms of the first random tensors with the densities of their laws."""
    made: list[Chart] = []
    values = run.values() if any(not row.get("histogram") for row in run.stats.parameters) else {}
    for row in run.stats.parameters:
        if len(made) == MOST_TENSORS:
            break
        if finite(row.get("declared_std")):
            chart = _histogram(run, row, values.get(row["path"]))
            made += [] if chart is None else [chart]
    return made


def _histogram(run: RunData, row: dict[str, Any], values: np.ndarray | None) -> Chart | None:
    bars = [[float(x) for x in bar] for bar in row.get("histogram") or []]
    source = f"all {row.get('count')} elements"
    if not bars:
        if values is None or values.size == 0:
            return None
        sample = np.asarray(values.reshape(-1)[:SAMPLE], np.float64)
        sample = sample[np.isfinite(sample)]
        if sample.size == 0:
            return None
        source = (
            f"all {values.size} elements"
            if values.size <= SAMPLE
            else f"the first {SAMPLE} of {values.size} elements"
        )
        counts, edges = np.histogram(sample, BARS)
        bars = [
            [low, high, n]
            for low, high, n in zip(edges[:-1], edges[1:], counts.astype(float), strict=True)
        ]
    low, high, heights = _rebinned(bars)
    figure, axes = drawing.axes(width=3.4, height=2.0)
    axes.bar(
        low,
        heights,
        width=high - low,
        align="edge",
        color=drawing.VALUES,
        alpha=0.6,
        linewidth=0,
    )
    law, x = run.law(row["path"]), np.linspace(low[0], high[-1], 400)
    said = "; its law has no density to compare with"
    upto = None if law is None else law.cdf(np.append(x, 2 * x[-1] - x[-2]))
    if upto is not None:
        axes.plot(x, np.diff(upto) / (x[1] - x[0]), color=drawing.INK, linewidth=1.2)
        said = f" against the density of {law}"
    axes.set_yticks([])
    drawing.few_ticks(axes)
    axes.set_title(drawing.shortened(row["path"]), fontsize=8, loc="left")
    return Chart(
        f"histogram-{row['path']}",
        row["path"],
        figure,
        f"Histogram of {source} of {row['path']}{said}.",
    )


def _rebinned(bars: list[list[float]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Merge bars (low, high, count) of any width into at most BARS equal ones.

    Returns (low edges, high edges, densities). The count of a bar is spread evenly over its width.
    """
    data = np.array(bars, float)
    low, high, count = data[:, 0], data[:, 1], data[:, 2]
    edges = np.linspace(low.min(), max(high.max(), np.nextafter(low.min(), math.inf)), BARS + 1)
    points = np.unique(np.concatenate([low, high]))
    below = np.array([count[high <= point].sum() for point in points])
    cumulative = np.interp(edges, points, below)
    width = edges[1] - edges[0]
    return edges[:-1], edges[1:], np.diff(cumulative) / (count.sum() * width)
