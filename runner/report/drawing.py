"""How charts look, and the one place that imports matplotlib: figures without pyplot, hence without
global state, in colours that the page's theme replaces."""

from __future__ import annotations

import importlib.util
import io
from collections.abc import Sequence
from typing import Any

import numpy as np

from initlab.runner.errors import RunnerError

INK, FAINT, PAPER = "#010203", "#040506", "#070809"
"""Stand-ins for the page's text, its faint lines and its background."""
SERIES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
"""Okabe and Ito's colours."""
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
    """matplotlib, which draws all charts, is an extra."""

    exit_code = 2


def available() -> bool:
    """Whether charts can be drawn here; nothing is imported for it."""
    return importlib.util.find_spec("matplotlib") is not None


def _library() -> Any:
    try:
        import matplotlib
        import matplotlib.figure
        import matplotlib.image
    except ImportError:
        raise NotInstalled(
            "a report's charts are drawn by matplotlib, which is not installed - pip install 'initlab[plot]'"
        ) from None
    return matplotlib


def styled() -> Any:
    """A context in which figures are made and written in our style."""
    return _library().rc_context(STYLE)


def axes(width: float = 7.0, height: float = 3.0) -> tuple[Any, Any]:
    """A figure of so many inches with one pair of axes."""
    with styled():
        figure = _library().figure.Figure(figsize=(width, height), layout="constrained")
        return figure, figure.subplots()


def panels(count: int, columns: int, width: float, height: float) -> tuple[Any, list[Any]]:
    """A figure of `count` small pairs of axes that share their scales, each of so many inches."""
    rows = -(-count // columns)
    with styled():
        figure = _library().figure.Figure(
            figsize=(width * columns, height * rows), layout="constrained"
        )
        made = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    flat = list(made.ravel())
    for spare in flat[count:]:
        spare.set_visible(False)
    return figure, flat[:count]


def separate(count: int, columns: int, width: float, height: float) -> tuple[Any, list[Any]]:
    """A figure of `count` pairs of axes, each with scales of its own and of so many inches."""
    rows = -(-count // columns)
    with styled():
        figure = _library().figure.Figure(
            figsize=(width * columns, height * rows), layout="constrained"
        )
        made = figure.subplots(rows, columns, squeeze=False)
    flat = list(made.ravel())
    for spare in flat[count:]:
        spare.set_visible(False)
    return figure, flat[:count]


def svg_text(figure: Any) -> str:
    """A figure as an SVG file of its own, black on white; the same figure gives the same bytes."""
    made = io.StringIO()
    with styled():
        figure.savefig(
            made, format="svg", facecolor="white", metadata={"Date": None, "Creator": None}
        )
    text = made.getvalue()
    for stand_in, colour in ((INK, "#000000"), (FAINT, "#808080"), (PAPER, "#ffffff")):
        text = text.replace(stand_in, colour)
    return "\n".join(line.rstrip() for line in text.splitlines()) + "\n"


def logarithmic(pair: Any) -> None:
    """A logarithmic vertical axis, with plain numbers where it spans less than a decade."""
    pair.set_yscale("log")
    low, high = pair.get_ylim()
    if high / low < 10:
        ticker = _library().ticker
        pair.yaxis.set_major_locator(ticker.LogLocator(subs=(1, 2, 3, 5, 7)))
        pair.yaxis.set_major_formatter(ticker.FormatStrFormatter("%.3g"))
        pair.yaxis.set_minor_formatter(ticker.NullFormatter())


def named(pair: Any, names: Sequence[str], most: int) -> None:
    """Names along the horizontal axis, not more than `most` of them."""
    every = -(-len(names) // most)
    pair.set_xticks(
        range(1, len(names) + 1, every),
        [shortened(name) for name in names[::every]],
        rotation=90 if len(names) > 6 else 0,
    )
    pair.tick_params(axis="x", labelsize=7)


def shortened(name: str, most: int = 24) -> str:
    """A long name with its middle left out."""
    return name if len(name) <= most else f"{name[: most // 2 - 1]}…{name[-(most // 2) :]}"


def legend(pair: Any) -> None:
    """The legend, where it covers least."""
    pair.legend(loc="best", labelcolor=INK, frameon=False, fontsize=8)


def heatmap(matrix: Any, scale: float) -> bytes:
    """A matrix as a PNG, one pixel an element: blue at -scale and below, white at 0, red at scale
    and above; black where not finite.
    """
    library = _library()
    colours = library.colormaps["RdBu_r"].with_extremes(bad="black")
    made = io.BytesIO()
    pixels = colours(
        library.colors.Normalize(-scale, scale, clip=True)(np.ma.masked_invalid(matrix)), bytes=True
    )
    library.image.imsave(made, pixels, format="png", metadata={"Software": None})
    return made.getvalue()


def png(figure: Any) -> bytes:
    """A figure as a PNG file, on white."""
    made = io.BytesIO()
    figure.savefig(made, format="png", facecolor="white", dpi=120, metadata={"Software": None})
    return made.getvalue()
