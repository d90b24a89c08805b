"""A figure as an SVG element of a page.

The page sets its size, the theme its colours, and a description makes it accessible.
"""

from __future__ import annotations

import html
import io
import re

from initlab.runner.report import drawing
from initlab.runner.report.charts import Chart

THEME = {drawing.INK: "var(--ink)", drawing.FAINT: "var(--line)", drawing.PAPER: "var(--paper)"}
THEME |= {colour: f"var(--series-{number})" for number, colour in enumerate(drawing.SERIES)}


def svg(chart: Chart) -> str:
    """Return the chart as one `<svg>` element. The same figure gives the same bytes."""
    text = io.StringIO()
    with drawing.styled():
        chart.figure.savefig(
            text,
            format="svg",
            metadata={"Date": None, "Creator": None, "Format": None, "Type": None},
        )
    found = re.search(r"<svg\b.*</svg>", text.getvalue(), re.DOTALL)
    assert found is not None
    body = re.sub(r"<metadata>.*?</metadata>\s*", "", found[0], flags=re.DOTALL)
    for colour, name in THEME.items():
        body = body.replace(colour, name)
    body = re.sub(r"\n\s*", "\n", body)
    identity = re.sub(r"[^A-Za-z0-9_-]", "-", chart.name)
    described = (
        f'<title id="{identity}-title">{html.escape(chart.title)}</title><desc '
        f'id="{identity}-desc">{html.escape(chart.description)}</desc>'
    )
    opening = re.match(r"<svg\b[^>]*>", body)
    assert opening is not None
    view = re.search(r'viewBox="([^"]*)"', opening[0])
    assert view is not None
    start = f'<svg viewBox="{view[1]}" role="img" aria-labelledby="{identity}-title {identity}-desc" xmlns:xlink="http://www.w3.org/1999/xlink">'
    return _ids_of_its_own(start + described + body[opening.end() :], identity)


def _ids_of_its_own(text: str, identity: str) -> str:
    """Make element ids unique within the page; ids of groups, which nothing refers to, are removed."""
    text = re.sub(r'<g id="[^"]*"', "<g", text)
    ids = set(re.findall(r'\bid="([^"]*)"', text)) - {f"{identity}-title", f"{identity}-desc"}
    for one in ids:
        for before, after in (('id="', '"'), ("url(#", ")"), ('href="#', '"')):
            text = text.replace(f"{before}{one}{after}", f"{before}{identity}-{one}{after}")
    return text
