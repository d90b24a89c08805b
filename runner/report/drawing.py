"""The style of charts, and the only module that imports matplotlib.

Figures are made without pyplot, so there is no global state. Their colours are placeholders that
the page's theme replaces.
"""

from __future__ import annotations

import importlib.util
import io
import textwrap
from collections.abc import Sequence
from contextlib import AbstractContextManager
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np

from initlab.runner.errors import ConfigError, RunnerError

if TYPE_CHECKING:
    from matplotlib.axes import Axes as Axes
    from matplotlib.figure import Figure as Figure

INK, FAINT, PAPER = "#010203", "#040506", "#070809"
"""Placeholder colours for the page's text, faint lines and background."""
FORWARD, BEFORE, GRADIENT, VALUES, FIGURE = SERIES = (
    "#0072b2",
    "#d55e00",
    "#009e73",
    "#cc79a7",
    "#6f4fb0",
)
"""One colour for one thing, on every page: outputs of layers, inputs of activations, gradients,
values of parameters, and single figures like the loss. Theory and what is declared have the
colour of text. The first four are colours of Okabe and Ito.
"""
MARKERS = ("D", "o", "s", "^", "v", "P", "X", "*")
DASHES = ("-", "--", "-.", ":")
WIDTH = 4.6
"""The width of a chart in inches: its text is as large as that of the page on a phone, and two or
three charts are side by side on a wide screen.
"""
LEVEL = 44
"""Letters of all names together at most for them to stand side by side."""
ROW = 62
"""Letters of a row of a legend at most."""
LETTER = 0.066
"""The height in inches that a letter of an upright name takes."""
STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "initlab",
    "font.family": "sans-serif",
    "font.size": 9,
    "text.color": INK,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "axes.facecolor": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": FAINT,
    "grid.linewidth": 0.5,
    "grid.alpha": 0.5,
    "xtick.color": INK,
    "ytick.color": INK,
    "figure.facecolor": "none",
    "savefig.facecolor": "none",
    "lines.linewidth": 1.4,
    "lines.markersize": 4,
    "legend.frameon": False,
    "legend.fontsize": 8,
}


class NotInstalled(RunnerError):
    """Raised when charts are needed and matplotlib, which is an extra, is not installed."""

    exit_code = 2


def available() -> bool:
    """Return whether matplotlib is installed, without importing it."""
    return importlib.util.find_spec("matplotlib") is not None


def check_report(report: str) -> None:
    """Raise ConfigError if every run is to have a report and matplotlib is not installed."""
    if report == "all" and not available():
        raise ConfigError.of(
            "report",
            "charts are drawn by matplotlib, which is not installed - pip install 'initlab[plot]'",
        )


def _library() -> ModuleType:
    try:
        import matplotlib
        import matplotlib.figure
        import matplotlib.image
    except ImportError:
        raise NotInstalled(
            "a report's charts are drawn by matplotlib, which is not installed - pip install 'initlab[plot]'"
        ) from None
    return matplotlib


def styled() -> AbstractContextManager[None]:
    """Return a context in which figures are made and written in our style."""
    context: AbstractContextManager[None] = _library().rc_context(STYLE)
    return context


def axes(width: float = WIDTH, height: float = 2.6) -> tuple[Figure, Axes]:
    """Return a figure of this size in inches with one pair of axes."""
    with styled():
        figure: Figure = _library().figure.Figure(figsize=(width, height), layout="constrained")
        return figure, figure.subplots()


def separate(count: int, columns: int, width: float, height: float) -> tuple[Figure, list[Axes]]:
    """Return a figure of `count` pairs of axes, each with its own scales; sizes in inches for each."""
    rows = -(-count // columns)
    with styled():
        figure: Figure = _library().figure.Figure(
            figsize=(width * columns, height * rows), layout="constrained"
        )
        made = figure.subplots(rows, columns, squeeze=False)
    flat = list(made.ravel())
    for spare in flat[count:]:
        spare.set_visible(False)
    return figure, flat[:count]


def stacked(heights: Sequence[float]) -> tuple[Figure, list[Axes]]:
    """Return a figure of pairs of axes below each other, each of its height in inches and with scales
    of its own.
    """
    with styled():
        figure: Figure = _library().figure.Figure(
            figsize=(WIDTH, sum(heights) + 0.3 * len(heights) + 0.2), layout="constrained"
        )
        made = figure.subplots(len(heights), squeeze=False, height_ratios=heights)
    return figure, list(made.ravel())


def svg_text(figure: Figure) -> str:
    """Return a figure as a standalone SVG, black on white. The same figure gives the same bytes."""
    made = io.StringIO()
    with styled():
        figure.savefig(
            made, format="svg", facecolor="white", metadata={"Date": None, "Creator": None}
        )
    text = made.getvalue()
    for stand_in, colour in ((INK, "#000000"), (FAINT, "#808080"), (PAPER, "#ffffff")):
        text = text.replace(stand_in, colour)
    return "\n".join(line.rstrip() for line in text.splitlines()) + "\n"


def logarithmic(pair: Axes) -> None:
    """Make the vertical axis logarithmic, with plain numbers if it spans less than three decades."""
    ticker = _library().ticker
    pair.set_yscale("log")
    low, high = pair.get_ylim()
    if high / low < 1000:
        steps = (1, 2, 3, 5, 7) if high / low < 10 else (1, 2, 5) if high / low < 100 else (1, 3)
        pair.yaxis.set_major_locator(ticker.LogLocator(subs=steps))
        pair.yaxis.set_major_formatter(ticker.FormatStrFormatter("%.3g"))
    pair.yaxis.set_minor_formatter(ticker.NullFormatter())


def counting(pair: Axes) -> None:
    """Label the horizontal axis with whole numbers only."""
    pair.xaxis.set_major_locator(
        _library().ticker.MaxNLocator(nbins=8, integer=True, min_n_ticks=1)
    )


def few_ticks(pair: Axes) -> None:
    """Label the horizontal axis of a small chart with few numbers."""
    ticker = _library().ticker
    pair.xaxis.set_major_locator(ticker.MaxNLocator(nbins=5))
    pair.xaxis.set_major_formatter(ticker.FuncFormatter(lambda x, _: f"{x:.4g}"))
    pair.tick_params(axis="x", labelsize=8)


def named(pair: Axes, names: Sequence[str], most: int) -> None:
    """Label the horizontal axis with names at 1, 2, …, at most `most` of them, and make the figure
    higher by what the longest takes.
    """
    every = -(-len(names) // most)
    shown = [shortened(name) for name in names[::every]]
    longest = max(map(len, shown))
    upright = longest * len(shown) > LEVEL
    pair.set_xticks(range(1, len(names) + 1, every), shown, rotation=90 if upright else 0)
    pair.tick_params(axis="x", labelsize=7)
    if upright and isinstance(pair.figure, _library().figure.Figure):
        width, height = pair.figure.get_size_inches()
        pair.figure.set_size_inches(width, height + LETTER * longest)


def shortened(name: str, most: int = 44) -> str:
    """Return a name as matplotlib shows it: if it is long without parts in its middle, and with no
    character that is a formula's or has no shape.
    """
    short = name if len(name) <= most else _without_middle(name, most)
    return "".join(one if one.isprintable() else "?" for one in short).replace("$", r"\$")


def _without_middle(name: str, most: int) -> str:
    """Return the first parts and the last part of a path; of one with longer parts its two ends."""
    parts = name.split(".")
    for kept in range(len(parts) - 2, 0, -1):
        short = ".".join([*parts[:kept], "…", parts[-1]])
        if len(short) <= most:
            return short
    return f"{name[: most // 2 - 1]}…{name[-(most // 2) :]}"


def wrapped(text: str, width: int, lines: int) -> str:
    """Return a text as matplotlib shows it, in at most so many lines, broken between words."""
    found = textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)
    kept = [shortened(line, width + 4) for line in found[:lines]]
    return "\n".join(kept) + (" …" if len(found) > lines else "")


def legend(pair: Axes) -> None:
    """Add a legend above the axes, where it covers nothing."""
    handles, labels = pair.get_legend_handles_labels()
    columns = max(1, min(len(labels), int(ROW // (max(map(len, labels), default=1) + 6))))
    pair.legend(
        handles,
        labels,
        loc="lower left",
        bbox_to_anchor=(0, 1.0),
        ncols=columns,
        labelcolor=INK,
        frameon=False,
        fontsize=7.5,
        borderaxespad=0.2,
        handlelength=1.8,
        columnspacing=1.2,
    )


def heatmap(matrix: np.ndarray, scale: float) -> bytes:
    """Return a matrix as a PNG with one pixel for each element.

    Blue is -scale and below, white 0, red scale and above, black not finite.
    """
    library = _library()
    colours = library.colormaps["RdBu_r"].with_extremes(bad="black")
    made = io.BytesIO()
    pixels = colours(
        library.colors.Normalize(-scale, scale, clip=True)(np.ma.masked_invalid(matrix)), bytes=True
    )
    library.image.imsave(made, pixels, format="png", metadata={"Software": None})
    return made.getvalue()


def png(figure: Figure) -> bytes:
    """Return a figure as a PNG on white."""
    made = io.BytesIO()
    figure.savefig(made, format="png", facecolor="white", dpi=120, metadata={"Software": None})
    return made.getvalue()
