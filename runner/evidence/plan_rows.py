"""The rows of `plan.json`: what was planned for each parameter (see `runner.plan.rows`)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from initlab.runner.errors import EvidenceError
from initlab.runner.evidence.sound import (
    Sound,
    is_figure,
    is_mapping,
    is_shape,
    is_spread,
    is_text,
    is_truth,
    is_whole,
    or_none,
)
from initlab.runner.json_values import JSON

RUN_AGAIN = "run its config again"
FORMS: dict[str, Sound] = {
    "path": is_text,
    "shape": is_shape,
    "dtype": is_text,
    "law": is_mapping,
    "alias_of": or_none(is_text),
    "bytes": is_whole,
    "fan_in": is_spread,
    "fan_out": is_spread,
    "mean": is_figure,
    "std": is_spread,
    "frozen": is_truth,
}
"""The columns that are used by name, and the form of each; those before `bytes` are in every row."""
ALWAYS = ("path", "shape", "dtype", "law", "alias_of")


def rows_of(content: Any, place: Path) -> dict[str, dict[str, JSON]]:
    """Return the rows by path, in the order of the network, from the content of the file at `place`.

    Raises EvidenceError if it is not as written.
    """
    damaged = f"{place}: is not as written,"
    rows = content.get("rows") if isinstance(content, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise EvidenceError(f"{damaged} it lacks 'rows' - {RUN_AGAIN}")
    found: dict[str, dict[str, JSON]] = {}
    for number, row in enumerate(rows):
        lacking = [name for name in ALWAYS if name not in row]
        wrong = [name for name, sound in FORMS.items() if name in row and not sound(row[name])]
        if lacking or wrong:
            said = f"it lacks rows[{number}].{lacking[0]}" if lacking else ""
            said = said or f"rows[{number}].{wrong[0]} has a value of another type"
            raise EvidenceError(f"{damaged} {said} - {RUN_AGAIN}")
        if row["path"] in found:
            raise EvidenceError(f"{damaged} it has '{row['path']}' twice - {RUN_AGAIN}")
        found[row["path"]] = row
    return found
