"""Judged claims in a folder: written, and taken away before new runs."""

from __future__ import annotations

import json

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
