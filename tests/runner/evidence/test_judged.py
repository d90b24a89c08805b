"""Judged claims in a folder: written, and taken away before new runs."""

from __future__ import annotations

import json

import pytest

from initlab.runner.errors import EvidenceError
from initlab.runner.evidence import judged


def test_judged_claims_are_written_and_forgotten(tmp_path):
    judged.write(tmp_path, 0.01, [{"id": "one", "verdict": "reproduced"}])
    assert json.loads((tmp_path / "claims.json").read_text()) == {
        "format": "initlab-claims-1",
        "alpha": 0.01,
        "claims": [{"id": "one", "verdict": "reproduced"}],
    }
    for name in ("claims.svg", "claims.png", "other.txt"):
        (tmp_path / name).write_text("")
    judged.remove(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["other.txt"]


def test_judged_claims_are_read_again_and_a_folder_without_them_has_none(tmp_path):
    assert judged.read(tmp_path) == []
    judged.write(tmp_path, 0.01, [{"id": "one", "verdict": "reproduced"}])
    assert judged.read(tmp_path) == [{"id": "one", "verdict": "reproduced"}]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "is damaged, it is no JSON: Expecting property name"),
        ("[]", "is damaged, it holds no list of claims - run the words of its claims again"),
        ('{"claims": [1]}', "is damaged, it holds no list of claims"),
        (
            '{"format": "initlab-claims-9", "claims": []}',
            "is of format initlab-claims-9, this initlab reads initlab-claims-1",
        ),
    ],
)
def test_damaged_and_newer_claims_are_refused_in_one_line(text, said, tmp_path):
    (tmp_path / "claims.json").write_text(text)
    with pytest.raises(EvidenceError, match="claims.json: ") as found:
        judged.read(tmp_path)
    assert said in str(found.value) and len(str(found.value).splitlines()) == 1
