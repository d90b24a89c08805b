"""What was trained from a file is told from what was drawn anew."""

from __future__ import annotations

import json

import numpy as np
import pytest
from foreign_files import FOLDER
from hypothesis import given
from hypothesis import strategies as st

from initlab.engine import formats
from initlab.runner.audit.lineage import descent, lineage
from initlab.runner.cli import run_command

RNG = np.random.default_rng(0)
OLD = RNG.normal(size=(30, 40)).astype(np.float32)


@pytest.mark.parametrize(
    ("new", "result"),
    [
        (OLD.copy(), "the same"),
        (OLD + 0.5 * RNG.normal(size=OLD.shape), "moved"),
        (0.3 * OLD + RNG.normal(size=OLD.shape), "moved"),
        (OLD.astype(np.float16), "moved"),
        (RNG.normal(size=OLD.shape), "no trace"),
        (OLD.T.copy(), "other shape"),
        (np.zeros_like(OLD), "cannot be told"),
    ],
)
def test_each_result(new, result):
    assert descent("w", OLD, new).result == result


def test_few_elements_cannot_be_told():
    assert descent("w", OLD[0, :9], RNG.normal(size=9)).result in ("cannot be told", "moved")
    assert descent("w", OLD[0, :9], OLD[1, :9]).result == "cannot be told"


@given(st.integers(0, 10**6))
def test_independent_tensors_show_no_trace_of_each_other(seed):
    rng = np.random.default_rng(seed)
    assert descent("w", rng.normal(size=1000), rng.normal(size=1000)).result == "no trace"


def test_files_are_compared_by_name(tmp_path, capsys):
    older, younger = tmp_path / "a.npz", tmp_path / "b.safetensors"
    head = RNG.normal(size=(20, 30))
    formats.get(older).write(older, formats.Snapshot({"body": OLD, "head": head, "gone": OLD[0]}))
    moved = {"body": OLD + 0.1, "head": RNG.normal(size=(20, 30)), "new": OLD[1]}
    formats.get(younger).write(younger, formats.Snapshot(moved))
    found = {one.name: one.result for one in lineage(older, younger)}
    assert found == {"body": "moved", "head": "no trace", "gone": "gone", "new": "new"}
    words = ["audit", str(younger), "--descends-from", str(older)]
    assert run_command(words) == 1
    assert "4 tensors, 1 moved, 1 gone, 1 no trace, 1 new" in capsys.readouterr().out
    assert run_command([*words, "--json"]) == 1
    [described] = json.loads(capsys.readouterr().out)
    assert described["format"] == "initlab-lineage-1" and len(described["tensors"]) == 4
    assert run_command(["audit", str(older), "--descends-from", str(older)]) == 0
    assert run_command([*words, "--against", "x.yaml"]) == 2
    assert run_command(["audit", str(younger), "--descends-from", "missing.npz"]) == 2


def test_files_without_a_common_name_are_not_said_to_descend(tmp_path, capsys):
    older, renamed, empty = (tmp_path / f"{name}.safetensors" for name in ("a", "b", "c"))
    formats.get(older).write(older, formats.Snapshot({"w": OLD}))
    formats.get(renamed).write(renamed, formats.Snapshot({"model.w": OLD}))
    formats.get(empty).write(empty, formats.Snapshot({}))
    words = ["audit", str(renamed), str(empty), str(older), "--descends-from", str(older)]
    assert run_command(words) == 2
    done = capsys.readouterr()
    assert done.err.splitlines() == [
        f"error: {renamed}: has no tensor of a name that is in {older}, so nothing can be compared - "
        "rename the tensors of one of them",
        f"error: {empty}: holds no tensors, so it is no file of weights",
    ]
    assert "1 the same" in done.out


def test_a_tensor_that_cannot_be_read_is_not_passed_over(tmp_path, capsys):
    path = FOLDER / "unread.pt"
    assert run_command(["audit", str(path), "--descends-from", str(path)]) == 2
    assert "not read" in capsys.readouterr().out
