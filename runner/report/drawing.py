"""The style of charts, and the only module that imports matplotlib.

Figures are made without pyplot, so there is no global state. Their colours are placeholders that
the page's theme replaces.
"""

from __future__ import annotations

import importlib.util
import io
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
SERIES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
"""The colours of Okabe and Ito."""
DASHES = ("-", "--", "-.", ":")
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


def axes(width: float = 7.0, height: float = 3.0) -> tuple[Figure, Axes]:
    """Return a figure of this size in inches with one pair of axes."""
    with styled():
        figure: Figure = _library().figure.Figure(figsize=(width, height), layout="constrained")
        return figure, figure.subplots()


def panels(count: int, columns: int, width: float, height: float) -> tuple[Figure, list[Axes]]:
    """Return a figure of `count` small pairs of axes with shared scales; sizes in inches for each."""
    rows = -(-count // columns)
    with styled():
        figure: Figure = _library().figure.Figure(
            figsize=(width * columns, height * rows), layout="constrained"
        )
        made = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    flat = list(made.ravel())
    for spare in flat[count:]:
        spare.set_visible(False)
    return figure, flat[:count]


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
    """Make the vertical axis logarithmic, with plain numbers if it spans less than a decade."""
    pair.set_yscale("log")
    low, high = pair.get_ylim()
    if high / low < 10:
        ticker = _library().ticker
        pair.yaxis.set_major_locator(ticker.LogLocator(subs=(1, 2, 3, 5, 7)))
        pair.yaxis.set_major_formatter(ticker.FormatStrFormatter("%.3g"))
        pair.yaxis.set_minor_formatter(ticker.NullFormatter())


def counting(pair: Axes) -> None:
    """Label the horizontal axis with whole numbers only."""
    pair.xaxis.set_major_locator(
        _library().ticker.MaxNLocator(nbins=8, integer=True, min_n_ticks=1)
    )


def named(pair: Axes, names: Sequence[str], most: int) -> None:
    """Label the horizontal axis with names, at most `most` of them."""
    every = -(-len(names) // most)
    pair.set_xticks(
        range(1, len(names) + 1, every),
        [shortened(name) for name in names[::every]],
        rotation=90 if len(names) > 6 else 0,
    )
    pair.tick_params(axis="x", labelsize=7)


def shortened(name: str, most: int = 24) -> str:
    """Return a name as matplotlib shows it: without the middle if it is long, and with no character
    that is a formula's or has no shape.
    """
    short = name if len(name) <= most else f"{name[: most // 2 - 1]}…{name[-(most // 2) :]}"
    return "".join(one if one.isprintable() else "?" for one in short).replace("$", r"\$")


def legend(pair: Axes) -> None:
    """Add a legend where it covers the least."""
    pair.legend(loc="best", labelcolor=INK, frameon=False, fontsize=8)


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
