"""The rows of `plan.json` are read by path, and anything that no run wrote is refused in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from initlab.runner.errors import EvidenceError
from initlab.runner.evidence.plan_rows import rows_of

PLACE = Path("plan.json")
ROW = {"path": "x", "shape": [2], "dtype": "float32", "law": {"kind": "normal"}, "alias_of": None}


def test_rows_are_read_by_path_and_in_order():
    other = {**ROW, "path": "a", "std": 0.5, "fan_in": 3}
    assert list(rows_of({"rows": [ROW, other]}, PLACE).items()) == [("x", ROW), ("a", other)]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ([], "it lacks 'rows'"),
        ({"rows": {}}, "it lacks 'rows'"),
        ({"rows": [3]}, "it lacks 'rows'"),
        ({"rows": [ROW, {"path": "y"}]}, "it lacks rows[1].shape"),
        ({"rows": [{**ROW, "path": 3}]}, "rows[0].path has a value of another type"),
        ({"rows": [{**ROW, "law": 1.5}]}, "rows[0].law has a value of another type"),
        ({"rows": [{**ROW, "std": -1}]}, "rows[0].std has a value of another type"),
        ({"rows": [{**ROW, "mean": 10**400}]}, "rows[0].mean has a value of another type"),
        ({"rows": [ROW, ROW]}, "it has 'x' twice"),
    ],
)
def test_what_no_run_wrote_is_refused(content, said):
    with pytest.raises(EvidenceError) as found:
        rows_of(content, PLACE)
    assert str(found.value) == f"plan.json: is not as written, {said} - run its config again"
