"""Tables of a report: a run's sections of statistics, and the claims judged in a folder."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from initlab.runner.claims import noise
from initlab.runner.evidence import judged
from initlab.runner.evidence.statistics import ROWS, Statistics, shape_text
from initlab.runner.flat import is_plain_list
from initlab.runner.json_values import JSON, finite
from initlab.runner.report.page import cell, counted_rows, path_cell, section, soft, table

MOST_UNSEARCHED = 20
"""Rows of a table without a field to filter them at most."""
MOST_ROWS = 1000
"""Rows of a table at most; `stats.json` has them all."""
LAYERS = "layers"
ORDER = ("path", "rms", "rms_ratio", "zeros", "pre_rms", "branch_ratio", "role", "kind", "shape")
"""The columns of layers that matter most, in this order; the others follow."""
LEFT_OUT = ("inside", "joins", "stream", "input", "in_mean", "in_variance", "in_rms", "stream_rms")
"""Columns of layers that others of the same table say too."""
CLAIMS = (
    "claim",
    "verdict",
    "predicted",
    "measured",
    "error",
    "floor",
    "z",
    "reason",
    "source",
    "quantity",
    "against",
)
RELATIONS = {"at_least": ">= ", "at_most": "<= "}
STYLES = {"reproduced": "good", "refuted": "bad"}


def statistics_sections(stats: Statistics) -> list[str]:
    """Return a section of the page for each section of rows, but the parameters."""
    found = {name: rows for name, rows in stats.by_name.items() if isinstance(rows, list)}
    return [_rows_table(name, rows) for name, rows in found.items() if rows and name != ROWS[0]]


def _rows_table(name: str, rows: Sequence[Mapping[str, Any]]) -> str:
    shown = [_of_layer(row) if name == LAYERS else row for row in rows[:MOST_ROWS]]
    found = (key for row in shown for key, value in row.items() if value is not None)
    columns = [
        column
        for column in dict.fromkeys(found)
        if not any(_is_nested(row.get(column)) for row in shown)
    ]
    if name == LAYERS:
        columns.sort(key=lambda one: ORDER.index(one) if one in ORDER else len(ORDER))
    title = name.replace("_", " ")
    lines = [[_cell(column, row.get(column)) for column in columns] for row in shown]
    heads = [column.replace("_", " ") for column in columns]
    made = table(f"section-{name}", heads, lines, title, searched=len(shown) > MOST_UNSEARCHED)
    return section(f"{title[:1].upper()}{title[1:]}", made, counted_rows(len(shown), len(rows)))


def _of_layer(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the row with its role, and without the columns of `LEFT_OUT`: `stream` for a container
    whose output is measured, `branch` for a layer whose output is added to a stream.
    """
    role = "stream" if row.get("stream") else "branch" if row.get("joins") else None
    kept = {name: value for name, value in row.items() if name not in LEFT_OUT}
    return {**kept, "role": role}


def _is_nested(value: object) -> bool:
    return isinstance(value, dict) or (isinstance(value, list) and not is_plain_list(value))


def _cell(column: str, value: Any) -> str:
    if column in ("path", "name") and isinstance(value, str):
        return path_cell(value)
    if isinstance(value, list):
        return cell(shape_text(value) if column == "shape" else ", ".join(map(str, value)))
    return cell("yes" if value else "no") if isinstance(value, bool) else cell(value)


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
    points = {str(claim.get("id")): _points(claim) for claim in claims}
    together = " ".join(map(noise.sentence, noise.shared(points)))
    return section(
        "Claims", found, soft(together), f'<p class="soft">{said}</p>', _claims_chart(folder)
    )


def _claims_chart(folder: Path) -> str:
    """Return the chart of the claims, as it was drawn when they were judged; '' without one.

    A picture runs nothing, whatever the file holds.
    """
    chart = folder / f"{judged.CHARTS}.svg"
    if not chart.is_file():
        return ""
    data = base64.b64encode(chart.read_bytes()).decode("ascii")
    said = "Measured values with their standard errors, and where the prediction puts them"
    return (
        f'<div class="claims"><img src="data:image/svg+xml;base64,{data}" alt="{said}">'
        f"</div>{soft(said + '.')}"
    )


def _points(claim: Mapping[str, JSON]) -> list[float]:
    """Return the samples of a claim; none if one is no number."""
    points = claim.get("points")
    found = [finite(point) for point in points] if isinstance(points, list) else []
    return [point for point in found if point is not None] if None not in found else []


def _by_floor(claim: Mapping[str, JSON]) -> str:
    """Return which floor allows a z that would refute a claim, or nothing."""
    z, most = finite(claim.get("z")), finite(claim.get("tolerance_z"))
    equal = claim.get("relation") == "equal" and claim.get("verdict") == "reproduced"
    if not equal or z is None or most is None or abs(z) <= most:
        return ""
    floor = finite(claim.get("floor")) or 0.0
    return f"z alone would refute it; the floor of {floor:g} allows the deviation"


def _claim_row(claim: Mapping[str, JSON]) -> list[str]:
    sign = RELATIONS.get(str(claim.get("relation")), "")
    predicted = claim.get("predicted")
    verdict = str(claim.get("verdict"))
    return [
        path_cell(claim.get("id")),
        cell(verdict, STYLES.get(verdict, "")),
        cell(f"{sign}{predicted}", "n") if sign else cell(predicted),
        *(cell(claim.get(name)) for name in ("measured", "error", "floor", "z")),
        cell(claim.get("reason") or _by_floor(claim), "long"),
        *(cell(claim.get(name), "long") for name in ("cite", "quantity", "form")),
    ]
