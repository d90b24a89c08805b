"""The journal of an unfinished snapshot: what was noted comes back, a half-written line counts for
nothing, and anything else that is wrong is damage. `tests/runner/run/test_streamed.py` has whole
runs that are killed.
"""

from __future__ import annotations

import pytest

from initlab.runner.errors import EvidenceError
from initlab.runner.evidence import journal
from initlab.runner.evidence.journal import Finished, Journal

IDENTITY = {"layout": "ab", "run_id": "normal-seed0-1"}
FIRST, SECOND = (Finished(path, "0f" * 32, {"mean": 0.5}) for path in ("0.weight", "0.bias"))


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "snapshot.journal"
    with Journal(path, IDENTITY, [FIRST]) as book:
        book.add([SECOND])
    return path


def test_what_was_noted_comes_back(path):
    assert journal.read(path, IDENTITY) == [FIRST, SECOND]


def test_a_last_line_that_was_being_written_counts_for_nothing(path):
    path.write_bytes(path.read_bytes()[:-3])
    assert journal.read(path, IDENTITY) == [FIRST]


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda text: text.replace(b"0.bias", b"0.biax"), "line 3 of the journal is damaged"),
        (lambda text: b"x" + text, "line 1 of the journal is damaged"),
    ],
)
def test_a_damaged_line_is_named(damage, said, path):
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(EvidenceError, match=f"{said} - run without resume=true to start over"):
        journal.read(path, IDENTITY)


def test_a_journal_of_something_else_is_refused(path):
    with pytest.raises(EvidenceError, match="is of another file than this run would make"):
        journal.read(path, {**IDENTITY, "layout": "cd"})
