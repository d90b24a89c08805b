"""A page as one HTML file with its style, script and charts inside; it loads nothing else.

All text passes through `escaped`. Data for the script is JSON without `<`.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Container, Iterable, Sequence
from pathlib import Path

from initlab.runner.json_values import finite
from initlab.runner.report.charts import Chart
from initlab.runner.report.svg import svg

HERE = Path(__file__).parent
DIGITS = 4
"""Digits of a number in a table; a click on a heading sorts by all of them."""
MOST_FIRST = 9
"""Columns that a narrow table shows at most; `page.css` has a rule for each number up to it."""
BROKEN = 12
"""Letters from which on a name may be broken."""
NUMERIC = ' class="n"'
EARLIER = ' class="earlier"'
NUMBER = f"<td{NUMERIC}"
"""How the cell of a number begins."""
POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"
"""The content security policy of the page: the browser loads nothing."""


def escaped(value: object) -> str:
    """Escape text for HTML, inside an element or a quoted attribute."""
    return html.escape(str(value), quote=True)


def page(title: str, parts: Iterable[str]) -> str:
    """Return the whole HTML file."""
    style = (HERE / "page.css").read_text(encoding="utf-8")
    script = (HERE / "page.js").read_text(encoding="utf-8")
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, '
        f'initial-scale=1">\n<title>{escaped(title)}</title>\n<style>\n{style}</style>\n'
        f'</head>\n<body>\n<header><h1>{escaped(title)}</h1><button id="theme" '
        'type="button">Dark</button></header>\n<main>\n'
        + "\n".join(parts)
        + f"\n</main>\n<script>\n{script}</script>\n</body>\n</html>\n"
    )


def section(title: str, *parts: str) -> str:
    """Return a section with a title, or nothing if its parts are empty."""
    inside = "\n".join(part for part in parts if part)
    return f"<section>\n<h2>{escaped(title)}</h2>\n{inside}\n</section>" if inside else ""


def facts(pairs: Iterable[tuple[str, object]]) -> str:
    """Return a list of names and values."""
    return (
        "<dl>"
        + "".join(f"<dt>{escaped(name)}</dt><dd>{escaped(value)}</dd>" for name, value in pairs)
        + "</dl>"
    )


def drawn(*charts: Chart | None) -> str:
    """Return charts beside each other, each with its title and its caption."""
    found = "".join(map(_figure, (chart for chart in charts if chart is not None)))
    return f'<div class="charts">{found}</div>' if found else ""


def _figure(chart: Chart) -> str:
    said = f"<figcaption>{escaped(chart.description)}</figcaption>"
    return f'<figure tabindex="0"><h3>{escaped(chart.title)}</h3>{svg(chart)}{said}</figure>'


def small(charts: Sequence[Chart]) -> str:
    """Return small charts beside each other, each with its own accessible description."""
    return (
        '<div class="small">'
        + "".join(f"<figure>{svg(chart)}</figure>" for chart in charts)
        + "</div>"
        if charts
        else ""
    )


def soft(text: str) -> str:
    """Return a sentence below a chart or a table, or nothing."""
    return f'<p class="soft">{escaped(text)}</p>' if text else ""


def number(value: object) -> str:
    """Format a figure in few digits."""
    return f"{value:.{DIGITS}g}" if isinstance(value, float) else str(value)


def broken(path: object) -> str:
    """Escape a path or a name for HTML; if it is long, a line may be broken after each of its
    parts.
    """
    text = escaped(path)
    return text if len(text) < BROKEN else re.sub(r"(?<=\w)([._])(?=\w)", r"\1<wbr>", text)


def cell(value: object, kind: str = "") -> str:
    """Return a table cell. A number is sorted by its full value."""
    if value is None or value == "":
        return "<td></td>"
    found = finite(value)
    if found is not None:
        text = number(value)
        full = "" if float(text) == found else f' data-value="{found!r}"'
        return f'<td class="n"{full}>{text}</td>'
    return f'<td class="{kind}">{escaped(value)}</td>' if kind else f"<td>{escaped(value)}</td>"


def path_cell(path: object) -> str:
    """Return the cell of a path, which may be broken after each of its parts."""
    return f'<td class="path">{broken(path)}</td>'


def table(
    identity: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[str]],
    caption: str,
    first: int = 4,
    searched: bool = False,
    earlier: Container[int] = (),
) -> str:
    """Return a table that sorts when a heading is clicked.

    `rows` are the cells of each row, as `cell` returns them. The `first` columns are those that matter
    most: on a phone and on paper only they are shown, unless the reader asks for all. With
    `searched` it has a field to filter the rows. The rows with the numbers `earlier` are hidden where
    the page has a box for that, and it is checked.
    """
    lines = list(rows)
    numeric = {at for row in lines for at, one in enumerate(row) if one.startswith(NUMBER)}
    heads = "".join(
        f'<th scope="col" data-name="{escaped(name)}"{NUMERIC if at in numeric else ""}>'
        f'<button type="button">{broken(name)}</button></th>'
        if name
        else "<th></th>"
        for at, name in enumerate(columns)
    )
    body = "\n".join(
        f"<tr{EARLIER if at in earlier else ''}>{''.join(row)}</tr>" for at, row in enumerate(lines)
    )
    search = (
        f'<label for="{identity}-filter">Filter</label><input type="search" '
        f'id="{identity}-filter" '
        f'data-filters="{identity}" placeholder="words that must be in a row">'
        f'<span class="soft" id="{identity}-shown" aria-live="polite"></span>'
        if searched
        else ""
    )
    few = first < len(columns)
    every = '<label class="every"><input type="checkbox"> all columns</label>' if few else ""
    tools = f'<div class="tools">{search}{every}</div>' if search or every else ""
    keep = f" few first-{min(first, MOST_FIRST)}" if few else ""
    return (
        f'<div class="table">{tools}<div class="scroll tall" tabindex="0" role="region" '
        f'aria-label="{escaped(caption)}">'
        f'<table class="sortable{keep}" id="{identity}">'
        f"<thead><tr>{heads}</tr></thead>\n<tbody>\n{body}\n</tbody></table></div></div>"
    )


def counted_rows(shown: int, total: int) -> str:
    """Return the sentence about rows that a table leaves out, or nothing."""
    said = f"The first {shown} of {total} rows are shown; stats.json has them all."
    return soft(said if shown < total else "")


def script_data(identity: str, value: object) -> str:
    """Return JSON data for the page's script."""
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":")).replace("<", "\\u003c")
    return f'<script type="application/json" id="{identity}">{text}</script>'
