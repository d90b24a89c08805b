"""The table of an audit, and its last line."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from initlab.runner.audit import page
from initlab.runner.audit.audit import Audit, Copy, Judged, judge
from initlab.runner.audit.scales import Facts

RNG = np.random.default_rng(0)


def test_remarks_ties_copies_and_doubts_are_lines():
    zero_row = RNG.normal(size=(100, 50))
    zero_row[0] = 0
    tensors = (judge("table", zero_row, Facts()), judge("few", RNG.normal(size=9), Facts()),
               Judged("odd\nname", unread="it is of type text"))  # fmt: skip
    found = Audit(Path("f"), tensors, {"head": "table"}, (Copy("a", "b", 1.0),))
    assert page.remarks(found) == [
        "table: zero rows: 0",
        "odd\\nname: not read: it is of type text",
        "head: is tied to table",
        "b: the same numbers as a",
        "? other laws fit as well: too few elements to tell them apart (--json has them)",
    ]
    assert page.verdict(found) == "f: 3 tensors, 1 not read, no contradiction"


def test_contradictions_are_named():
    found = Audit(Path("f"), (judge("w", np.full(9, np.inf), Facts()),), {}, ())
    assert page.contradictions(found) == ["w: 9 of 9 elements are NaN or infinite [unset]"]
    assert page.remarks(found) == []
    assert page.verdict(found) == "f: 1 tensor, 1 not fresh, 1 contradiction"


def test_a_copy_that_was_rounded_is_called_so_and_a_long_name_is_shortened():
    assert str(Copy("a", "b", 1.00001)) == "b: the same numbers, but for rounding, as a"
    assert str(Copy("a", "b", 0.5)) == "b: 0.5 times a"
    [name, *_] = page._cells(judge("w" * 5000, RNG.normal(size=(8, 8)), Facts()))
    assert len(name) == page.LONGEST_NAME
