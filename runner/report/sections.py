"""Tables of a report: a run's sections of statistics, and the claims judged in a folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from initlab.runner.evidence import judged
from initlab.runner.evidence.statistics import ROWS, Statistics, shape_text
from initlab.runner.flat import is_plain_list
from initlab.runner.json_values import JSON
from initlab.runner.report.page import cell, counted_rows, escaped, section, table

MOST_ROWS = 1000
"""Rows of a table at most; `stats.json` has them all."""
CLAIMS = ("claim", "predicted", "measured", "error", "floor", "z", "verdict", "reason", "source")
RELATIONS = {"at_least": ">= ", "at_most": "<= "}
STYLES = {"reproduced": "good", "refuted": "bad"}


def statistics_sections(stats: Statistics) -> list[str]:
    """Return a section of the page for each section of rows, but the parameters."""
    found = {name: rows for name, rows in stats.by_name.items() if isinstance(rows, list)}
    return [_rows_table(name, rows) for name, rows in found.items() if rows and name != ROWS[0]]


def _rows_table(name: str, rows: Sequence[Mapping[str, Any]]) -> str:
    shown = rows[:MOST_ROWS]
    found = (key for row in shown for key, value in row.items() if value is not None)
    columns = [
        column
        for column in dict.fromkeys(found)
        if not any(_is_nested(row.get(column)) for row in shown)
    ]
    title = name.replace("_", " ")
    lines = [f"<tr>{''.join(cell(_value(c, row.get(c))) for c in columns)}</tr>" for row in shown]
    made = table(f"section-{name}", [column.replace("_", " ") for column in columns], lines, title)
    return section(f"{title[:1].upper()}{title[1:]}", made, counted_rows(len(shown), len(rows)))


def _is_nested(value: object) -> bool:
    return isinstance(value, dict) or (isinstance(value, list) and not is_plain_list(value))


def _value(column: str, value: Any) -> object:
    if isinstance(value, list):
        return shape_text(value) if column == "shape" else ", ".join(map(str, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value


def claims_section(folder: Path) -> str:
    """Return the section of the claims judged in a folder; '' if there are none.

    Raises EvidenceError if `claims.json` is damaged.
    """
    claims = judged.read(folder)
    if not claims:
        return ""
    found = table("claims", CLAIMS, map(_claim_row, claims), "Claims, predicted against measured")
    said = (
        "<code>error</code> is the standard error, <code>z</code> the deviation in standard errors. "
        "<code>floor</code> is the deviation allowed for rounding or for what the theory neglects: "
        "only what exceeds it is held against a claim."
    )
    chart = f"{judged.CHARTS}.svg"
    link = f' The <a href="{chart}">chart</a> shows them.' if (folder / chart).exists() else ""
    return section("Claims", found, f'<p class="soft">{said}{link}</p>')


def _claim_row(claim: Mapping[str, JSON]) -> str:
    sign = RELATIONS.get(str(claim.get("relation")), "")
    predicted = claim.get("predicted")
    first = cell(claim.get("id")) + (cell(f"{sign}{predicted}", "n") if sign else cell(predicted))
    figures = "".join(cell(claim.get(name)) for name in ("measured", "error", "floor", "z"))
    verdict = str(claim.get("verdict"))
    last = cell(verdict, STYLES.get(verdict, "")) + cell(claim.get("reason"), "long")
    title = escaped(f"{claim.get('quantity')} against {claim.get('form')}")
    return f'<tr title="{title}">{first}{figures}{last}{cell(claim.get("cite"), "long")}</tr>'
