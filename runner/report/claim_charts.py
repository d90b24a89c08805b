"""Charts of claims: measured points with error bars, the line of the theory, the verdict in the
title.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from initlab.runner.claims.judge import Judged
from initlab.runner.claims.picture import Picture, picture
from initlab.runner.claims.results import Result
from initlab.runner.files import write_bytes
from initlab.runner.report import drawing

if TYPE_CHECKING:
    from initlab.runner.report.drawing import Axes, Figure

THEORY = drawing.INK
COLOURS = (
    (("chi1", "grad"), drawing.GRADIENT),
    (("pre_",), drawing.BEFORE),
    (("layers",), drawing.FORWARD),
    (("spectrum", "parameters", "operator"), drawing.VALUES),
)
"""Words in a quantity, and the colour of what it is of; the first that fits."""
ABOVE_LEGEND = 22
"""Points between the axes and the title: the legend lies between them."""
GRID = "#c8c8c8"
COLUMNS = 2
MOST_POINTS, FEW = 50, 12
RELATIONS = {"equal": "theory", "at_least": "at least", "at_most": "at most"}


def claim_figure(judged: Sequence[Judged], results: Sequence[Result]) -> Figure:
    """Return a figure with one pair of axes for each claim. Raises NotInstalled without matplotlib."""
    figure, all_axes = drawing.separate(len(judged), min(COLUMNS, len(judged)), 4.6, 3.0)
    for axes, one in zip(all_axes, judged, strict=True):
        _draw(axes, one, thinned(picture(one.claim, results)))
    return figure


def colour_of(quantity: str) -> str:
    """Return the colour of what a claim is about, which it has on every page."""
    fits = (colour for words, colour in COLOURS if any(word in quantity for word in words))
    return next(fits, drawing.FIGURE)


def thinned(seen: Picture) -> Picture:
    """Reduce a picture to at most `MOST_POINTS` places by merging neighbours."""
    each = -(-len(seen.x) // MOST_POINTS)
    if each == 1:
        return seen
    starts = range(0, len(seen.x), each)
    samples = tuple(np.concatenate(seen.samples[start : start + each]) for start in starts)
    x, theory = (
        np.array([float(part[start : start + each].mean()) for start in starts])
        for part in (seen.x, seen.theory)
    )
    return replace(
        seen,
        x=x,
        samples=samples,
        theory=theory,
        names=tuple(seen.names[start] for start in starts),
    )


def _draw(axes: Axes, one: Judged, seen: Picture) -> None:
    means = np.array([float(np.mean(s)) for s in seen.samples])
    spread = np.array(
        [float(np.std(s, ddof=1)) / math.sqrt(len(s)) if len(s) > 1 else 0.0 for s in seen.samples]
    )
    bars = None if not spread.any() else spread
    axes.errorbar(
        seen.x,
        means,
        yerr=bars,
        linestyle="none",
        marker="o",
        color=colour_of(one.claim.quantity),
        capsize=2,
        label="measured",
    )
    axes.plot(
        seen.x, seen.theory, linestyle="--", color=THEORY, label=RELATIONS[one.claim.relation]
    )
    if len(seen.x) == 1:
        axes.axhline(seen.theory[0], linestyle="--", color=THEORY)
    if seen.log_y and (means > 0).all() and means.max() > 1.5 * means.min():
        drawing.logarithmic(axes)
    if seen.log_x:
        axes.set_xscale("log", base=2)
        axes.set_xticks(seen.x, seen.names)
        axes.minorticks_off()
    elif len(seen.x) <= FEW:
        axes.set_xticks(seen.x, [drawing.shortened(name, 10) for name in seen.names])
        if len(seen.x) == 1:
            axes.set_xlim(0.5, 1.5)
    axes.set_xlabel(seen.along)
    axes.set_ylabel(drawing.shortened(seen.what, 34))
    axes.margins(y=0.15)
    _widened(axes, one, seen, means)
    axes.grid(color=GRID)
    axes.set_title(f"{one.claim.id}: {one.verdict}", fontsize=10, loc="left", pad=ABOVE_LEGEND)
    drawing.legend(axes)


def _widened(axes: Axes, one: Judged, seen: Picture, means: np.ndarray) -> None:
    """Widen the vertical axis to `within`, so that rounding errors do not look like a trend."""
    if seen.log_y or not np.isfinite(means).all() or not math.isfinite(one.claim.within):
        return
    room = max(one.claim.within, float(np.abs(means - seen.theory).max()) * 1.2)
    low, high = axes.get_ylim()
    axes.set_ylim(
        min(low, float(seen.theory.min()) - room), max(high, float(seen.theory.max()) + room)
    )


def write_claim_charts(
    folder: Path,
    name: str,
    judged: Sequence[Judged],
    results: Sequence[Result],
    suffixes: Sequence[str] = (".svg", ".png"),
) -> list[Path]:
    """Write `<name>.svg` and `<name>.png`, or only the given suffixes; return their paths.

    Raises NotInstalled without matplotlib.
    """
    figure = claim_figure(judged, results)
    written = [folder / f"{name}{suffix}" for suffix in suffixes]
    for path in written:
        write_bytes(
            path,
            drawing.png(figure)
            if path.suffix == ".png"
            else drawing.svg_text(figure).encode("utf-8"),
        )
    return written
