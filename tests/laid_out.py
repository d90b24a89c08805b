"""The layout of charts: where their texts are, and whether they can be read; and a network that is
hard to show.
"""

from __future__ import annotations

from itertools import combinations
from typing import Any

from initlab.runner.report.charts import Chart

GPT2 = (
    "model=gpt2",
    "data=tokens",
    "data.vocabulary=50",
    "data.batch=2",
    "model.input=[8]",
    "model.layers.0.input_dim=50",
    "model.layers.0.output_dim=16",
    "model.layers.1.length=8",
    "model.layers.2.times=24",
    "model.layers.2.layers.0.heads=2",
)
"""A GPT-2 of 24 narrow blocks."""


def texts_of(chart: Chart) -> list[tuple[str, Any]]:
    """Return every text of a chart that is seen, and its box in pixels."""
    from matplotlib.text import Text

    chart.figure.draw_without_rendering()
    beyond = {
        id(label)
        for pair in chart.figure.axes
        for axis in (pair.xaxis, pair.yaxis)
        for tick in [*axis.get_major_ticks(), *axis.get_minor_ticks()]
        if not min(axis.get_view_interval()) <= tick.get_loc() <= max(axis.get_view_interval())
        for label in (tick.label1, tick.label2)
    }
    found = (
        one
        for one in chart.figure.findobj(Text)
        if one.get_visible() and one.get_text().strip() and id(one) not in beyond
    )
    return [(one.get_text(), one.get_window_extent()) for one in found]


def check_layout(chart: Chart) -> None:
    """Check that no text is cut off, that no two texts overlap, and that no legend hides data."""
    texts = texts_of(chart)
    width, height = chart.figure.canvas.get_width_height()
    for text, box in texts:
        assert box.x0 >= -1 and box.y0 >= -1 and box.x1 <= width + 1 and box.y1 <= height + 1, text
    for (one, box), (other, other_box) in combinations(texts, 2):
        across = min(box.x1, other_box.x1) - max(box.x0, other_box.x0)
        along = min(box.y1, other_box.y1) - max(box.y0, other_box.y0)
        assert across < 1 or along < 1, f"{one!r} is over {other!r}"
    for pair in chart.figure.axes:
        legend = pair.get_legend()
        assert legend is None or legend.get_window_extent().y0 >= pair.get_window_extent().y1 - 1
