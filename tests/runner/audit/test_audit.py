"""A file is judged tensor by tensor, and tensors with the same noise are found."""

from __future__ import annotations

import json

import numpy as np
import pytest
from foreign_files import FOLDER

from initlab.engine import formats
from initlab.runner.audit.audit import audit, copies, describe, judge
from initlab.runner.audit.scales import Facts
from initlab.runner.errors import EvidenceError
from initlab.runner.files import in_json

RNG = np.random.default_rng(0)


def test_a_file_of_torch_is_judged_with_its_ties():
    found = audit(FOLDER / "state.pth", Facts())
    laws = {one.name: one.found.kind for one in found.tensors}
    assert laws["stem.1.running_var"] == "ones" and laws["stem.0.weight"] == "uniform"
    assert len(found.ties) == 1 and found.code == 0


def test_tensors_with_the_same_noise_are_found():
    x, y = RNG.normal(size=(20, 30)), RNG.normal(size=(20, 30))
    found = list(
        copies({"a": x, "b": y, "c": 3 * x, "d": x.reshape(30, 20).copy(), "e": np.zeros(600)})
    )
    assert [(one.first, one.second, round(one.factor, 9)) for one in found] == [
        ("a", "c", 3.0),
        ("a", "d", 1.0),
    ]
    assert [str(one) for one in found] == ["c: 3 times a", "d: the same numbers as a"]


def test_what_optimizers_keep_is_not_judged():
    assert judge("optimizer.state.0.exp_avg", np.ones(3), Facts()).found.kind == "optimizer state"


def test_unset_memory_contradicts_every_declaration(tmp_path):
    path = tmp_path / "x.npz"
    formats.get(path).write(path, formats.Snapshot({"w": np.full((4, 4), np.nan, np.float32)}))
    found = audit(path, Facts())
    assert found.contradicted and found.code == 1
    assert found.tensors[0].contradictions[0].name == "unset"


def test_tensors_that_cannot_be_read_are_said():
    found = audit(FOLDER / "unread.pt", Facts())
    assert (found.code, found.unread) == (2, True)


def test_json_has_everything():
    described = json.loads(json.dumps(in_json(describe(audit(FOLDER / "state.pth", Facts())))))
    assert described["format"] == "initlab-audit-1"
    by_name = {one["name"]: one for one in described["tensors"]}
    assert by_name["stem.0.weight"]["law"]["fresh"] is True
    assert by_name["stem.0.weight"]["scales"][0]["name"] == "torch's default, 1/sqrt(3 fan_in)"


def test_a_file_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(EvidenceError, match="no such file"):
        audit(tmp_path / "x.pth", Facts())
