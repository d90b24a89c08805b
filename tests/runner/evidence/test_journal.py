"""The journal of an unfinished snapshot: what was noted comes back, a half-written line counts for
nothing, and anything else that is wrong is damage. `tests/runner/run/test_streamed.py` has whole
runs that are killed.
"""

from __future__ import annotations

import json
import math
import zlib

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


def test_a_journal_is_of_the_run_with_the_same_digits_whatever_its_label(tmp_path):
    path, digits = tmp_path / "snapshot.journal", "046dba22b31ff360"
    Journal(path, {"layout": "ab", "run_id": f"old-seed0-{digits}"}, [FIRST]).close()
    assert journal.read(path, {"layout": "ab", "run_id": f"gpt2-old-seed0-{digits}"}) == [FIRST]
    for other in (
        {"layout": "cd", "run_id": f"old-seed0-{digits}"},
        {"layout": "ab", "run_id": "x"},
    ):
        with pytest.raises(EvidenceError, match="of another file than this run would make"):
            journal.read(path, other)


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
    with pytest.raises(EvidenceError) as found:
        journal.read(path, IDENTITY)
    assert str(found.value) == (
        f"{path}: {said}, its checksum is another - run without resume=true to start over"
    )


def line(text: str) -> bytes:
    content = text.encode("utf-8", "surrogateescape")
    return f"{zlib.crc32(content):08x} ".encode() + content + b"\n"


WHOLE = {"path": "x", "digest": "0f" * 32, "row": {}}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("no JSON", "it is no JSON: Expecting value: line 1 column 1 (char 0)"),
        ("\udcff", "it is no UTF-8 text, see byte 0"),
        ("[" * 100_000, "it has 100000 times '[' in 100000 bytes"),
        ("[" * 900 + "]" * 900, "it is nested more than 200 deep"),
        ("[]", "it describes no tensor"),
        ("{}", "it lacks 'path'"),
        (json.dumps({**WHOLE, "path": 3}), "its path is not as written"),
        (json.dumps({**WHOLE, "path": ["x"]}), "its path is not as written"),
        (json.dumps({**WHOLE, "digest": None}), "its digest is not as written"),
        (json.dumps({**WHOLE, "digest": "0F" * 32}), "its digest is not as written"),
        (json.dumps({**WHOLE, "row": []}), "its row is not as written"),
        (json.dumps({**WHOLE, "row": {"std": "x"}}), "its row is not as written"),
        (json.dumps({**WHOLE, "row": {"p": [1]}}), "its row is not as written"),
        (json.dumps({**WHOLE, "row": {"bound_ok": 1}}), "its row is not as written"),
        ('{"path": "x", "path": "y"}', "it has 'path' twice"),
        (json.dumps({**WHOLE, "path": "\ud800"}), "it has half a character"),
    ],
)
def test_whatever_has_the_right_checksum_is_refused_in_one_line(text, said, path):
    with open(path, "ab") as file:
        file.write(line(text))
    with pytest.raises(EvidenceError) as found:
        journal.read(path, IDENTITY)
    assert str(found.value) == (
        f"{path}: line 4 of the journal is damaged, {said} - run without resume=true to start over"
    )


def test_figures_that_are_not_finite_come_back(tmp_path):
    path = tmp_path / "snapshot.journal"
    with Journal(path, IDENTITY, [Finished("x", "0f" * 32, {"mean": math.nan, "max": math.inf})]):
        pass
    [found] = journal.read(path, IDENTITY)
    assert math.isnan(found.row["mean"]) and found.row["max"] == math.inf
