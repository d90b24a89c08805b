"""The charts of a run and of a sweep, as matplotlib figures.

matplotlib is BSD-licensed and well maintained, and its SVG prints well and scales on a phone. Each
builder takes plain data and returns a figure. Colours that follow the page's theme are placeholders
(see `runner.report.svg`). The series use the Okabe-Ito palette, which colour-blind readers can tell
apart; marks and dashes distinguish them without colour.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from initlab.runner.evidence.statistics import mode_text
from initlab.runner.json_values import finite
from initlab.runner.report import drawing
from initlab.runner.report.prediction import predicted_rms
from initlab.runner.report.reading import SAMPLE, RunData, read_run

if TYPE_CHECKING:
    from initlab.runner.report.drawing import Figure

SIGMAS = 5
MOST_TENSORS = 12
"""Histograms and weight tiles shown for a run at most."""
MOST_NAMES = 40
"""Names shown on an axis at most; of more, every second or third."""
BARS = 60


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
    figure, axes = drawing.axes(height=3.0)
    depth = np.arange(1, len(layers) + 1)
    colour = drawing.SERIES[0]
    axes.plot(depth[trunk], rms[trunk], marker="o", color=colour, label="output, measured")
    if np.isfinite(rms[~trunk]).any():
        axes.plot(
            depth[~trunk],
            rms[~trunk],
            marker="o",
            markerfacecolor="none",
            linestyle="none",
            color=colour,
            label="inside a block",
        )
    before = series([row.get("pre_rms") for row in layers])
    if np.isfinite(before).any():
        axes.plot(
            depth,
            before,
            marker="s",
            markerfacecolor="none",
            linestyle=":",
            color=drawing.SERIES[1],
            label="before the activation",
        )
    predicted = predicted_rms(run)
    said = ""
    if predicted is not None:
        theory = series([predicted.get(row["path"]) for row in layers])
        axes.plot(depth, theory, linestyle="--", color=drawing.INK, label="output, theory")
        off = np.nanmax(np.abs(np.log(rms / theory)))
        said = (
            " Theory for wide layers, from the first layer's measured input on, is off by a factor of "
            f"{math.exp(off):.3g} at most."
        )
    drawing.logarithmic(axes)
    drawing.named(axes, [row["path"] for row in layers], MOST_NAMES)
    axes.set_ylabel("rms")
    drawing.legend(axes)
    through = rms[trunk & np.isfinite(rms)]
    ends = through if len(through) else rms[np.isfinite(rms)]
    of = f"{trunk.sum()} layers" + ("" if trunk.all() else " and blocks")
    mode = "" if run.stats.mode is None else f" Measured in {mode_text(run.stats.mode)}."
    text = (
        f"The output's rms goes from {ends[0]:.3g} in the first of {of} to {ends[-1]:.3g} in the "
        f"last.{said}{mode}"
    )
    return Chart("signal", "Forward: rms against depth", figure, text)


def weight_gradients(run: RunData) -> list[dict[str, Any]]:
    """Return the rows of the gradients of weights, or of all parameters if none is a weight."""
    rows = [row for row in run.stats.gradients if str(row["path"]).endswith("weight")]
    return rows or run.stats.gradients


def gradient_chart(run: RunData) -> Chart | None:
    """Plot the gradient rms of every weight against depth."""
    rows = weight_gradients(run)
    rms = series([row["rms"] for row in rows])
    if not np.isfinite(rms).any():
        return None
    figure, axes = drawing.axes(height=3.0)
    axes.plot(np.arange(1, len(rows) + 1), rms, marker="D", color=drawing.SERIES[2])
    drawing.logarithmic(axes)
    drawing.named(axes, [row["path"] for row in rows], MOST_NAMES)
    axes.set_ylabel("gradient rms")
    first, last = rms[np.isfinite(rms)][[0, -1]]
    ends = f"from {first:.3g} in the first of {len(rows)} weights to {last:.3g} in the last"
    text = f"The gradient's rms goes {ends}, a ratio of {first / last:.3g}."
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
    figure, axes = drawing.axes(height=3.0)
    depth = np.arange(1, len(rows) + 1)
    bands = np.array([math.nan if width is None else width for _, _, width in rows])
    axes.fill_between(
        depth, 1 - bands, 1 + bands, step="mid", color=drawing.SERIES[0], alpha=0.18, linewidth=0
    )
    axes.errorbar(
        depth,
        np.ones(len(rows)),
        yerr=bands,
        fmt="none",
        ecolor=drawing.SERIES[0],
        capsize=3,
        label=f"{SIGMAS} standard errors",
    )
    axes.axhline(1, color=drawing.INK, linewidth=0.8)
    ratio = np.array([value for _, value, _ in rows])
    axes.plot(
        depth,
        ratio,
        linestyle="none",
        marker="o",
        color=drawing.SERIES[1],
        label="measured / declared",
    )
    drawing.named(axes, [path for path, _, _ in rows], MOST_NAMES)
    axes.set_ylabel("std, measured / declared")
    drawing.legend(axes)
    outside = sum(width is not None and abs(value - 1) > width for _, value, width in rows)
    text = (
        f"{len(rows)} tensors, {outside} of them outside {SIGMAS} standard errors; ratios from "
        f"{ratio.min():.4g} to {ratio.max():.4g}."
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
    figure, axes = drawing.axes(height=2.6)
    axes.plot(
        np.array([finite(row.get(unit)) for row in rows], np.float64),
        loss,
        marker="o",
        markersize=3,
        color=drawing.SERIES[0],
    )
    drawing.logarithmic(axes)
    axes.set_xlabel(unit)
    axes.set_ylabel("loss")
    found = loss[np.isfinite(loss)]
    return Chart(
        "training",
        "Training loss",
        figure,
        f"The loss goes from {found[0]:.4g} to {found[-1]:.4g} in {len(rows)} {unit}s.",
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
    figure, axes = drawing.axes(width=3.6, height=2.2)
    axes.bar(
        low,
        heights,
        width=high - low,
        align="edge",
        color=drawing.SERIES[0],
        alpha=0.55,
        linewidth=0,
    )
    law, x = run.law(row["path"]), np.linspace(low[0], high[-1], 400)
    said = "; its law has no density to compare with"
    upto = None if law is None else law.cdf(np.append(x, 2 * x[-1] - x[-2]))
    if upto is not None:
        axes.plot(x, np.diff(upto) / (x[1] - x[0]), color=drawing.INK, linewidth=1.2)
        said = f" against the density of {law}"
    axes.set_yticks([])
    axes.set_title(drawing.shortened(row["path"], 48), fontsize=9)
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
