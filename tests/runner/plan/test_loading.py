"""A run that loads a snapshot says what it did not load, or refuses it."""

from __future__ import annotations

import json

import numpy as np
import pytest

from initlab.engine import formats
from initlab.engine.formats import Snapshot
from initlab.engine.init import Load
from initlab.runner.check.verify import verify

TENSORS = {
    "0.weight": np.arange(12, dtype=np.float32).reshape(3, 4),
    "0.bias": np.ones(3, np.float32),
}
MODEL = ("model.input=[4]", "model.layers=[{kind: dense, units: 3}]", "data=normal", "probe=none")


@pytest.fixture
def loading(command, tmp_path):
    """Runs a network of one dense layer with the tensors."""

    def run(tensors, *words):
        path = tmp_path / "first.safetensors"
        formats.get("safetensors").write(path, Snapshot(tensors))
        return command("init=load", f"init.param={path}", *MODEL, *words)

    return run


def test_a_snapshot_that_fits_is_loaded(loading):
    done = loading(TENSORS)
    assert (done.code, "lacks" in done.out, "takes" in done.out) == (0, False, False)


def test_wrong_names_are_refused_even_with_a_default(loading):
    done = loading({f"net.{n}": t for n, t in TENSORS.items()}, "init.default_init={kind: he}")
    assert done.code == 2
    assert "init.param: " in done.err and "2 tensors that no parameter takes" in done.err


def test_a_misnamed_bias_is_refused(loading):
    done = loading({"0.weight": TENSORS["0.weight"], "0.b": TENSORS["0.bias"]})
    assert done.code == 2
    assert "1 tensor that no parameter takes: '0.b'" in done.err
    assert "lacks 1 of 2 parameters: '0.bias'" in done.err
    assert "Cannot Initialize" not in done.err


@pytest.mark.parametrize("task", ["run", "plan"])
def test_partial_loading_lists_both(loading, task, tmp_path):
    done = loading(
        {"0.weight": TENSORS["0.weight"], "x": TENSORS["0.bias"]},
        "init.partial=true",
        f"task={task}",
    )
    assert done.code == 0, done.err
    assert "has 1 tensor that no parameter takes: 'x'" in done.out
    assert "lacks 1 of 2 parameters: '0.bias'" in done.out
    if task == "run":
        [plan] = tmp_path.glob("outputs/runs/*/plan.json")
        assert len(json.loads(plan.read_text(encoding="utf-8"))["remarks"]) == 2


SHARED = (
    "model.input=[3]",
    "model.layers=[{kind: dense, units: 3, name: a}, {kind: dense, units: 3, name: b}]",
    "+model.share={one: [a, b]}",
    "data=normal",
    "probe=none",
)


@pytest.mark.parametrize("mode", ["deferred", "eager", "streamed"])
@pytest.mark.parametrize("names", ["a", "b", "ab"])
def test_any_name_of_a_share_group_serves(names, mode, command, tmp_path):
    path = tmp_path / "tied.safetensors"
    one = {"weight": np.arange(9, dtype=np.float32).reshape(3, 3), "bias": np.ones(3, np.float32)}
    formats.get("safetensors").write(
        path, Snapshot({f"{layer}.{n}": t for layer in names for n, t in one.items()})
    )
    done = command("init=load", f"init.param={path}", f"init_mode={mode}", *SHARED)
    assert done.code == 0, done.err
    [snapshot] = tmp_path.glob("outputs/runs/*/snapshot.safetensors")
    assert (formats.get("safetensors").read(snapshot).tensors["a.weight"] == one["weight"]).all()


def test_tied_tensors_that_differ_are_refused(command, tmp_path):
    path = tmp_path / "tied.safetensors"
    tensors = {
        f"{layer}.{name}": np.full(shape, ord(layer), np.float32)
        for layer in "ab"
        for name, shape in (("weight", (3, 3)), ("bias", (3,)))
    }
    formats.get("safetensors").write(path, Snapshot(tensors))
    done = command("init=load", f"init.param={path}", "task=plan", *SHARED)
    assert done.code == 2
    assert "init.param: has other values for 'a.weight' than for 'b.weight'" in done.err


def test_a_run_that_an_earlier_version_made_of_such_a_file_is_verified(
    loading, monkeypatch, tmp_path
):
    with monkeypatch.context() as earlier:
        earlier.setattr(Load, "check_parameters", lambda self, parameters: [])
        done = loading({**TENSORS, "x": TENSORS["0.bias"]})
    assert done.code == 0, done.err
    [folder] = tmp_path.glob("outputs/runs/*")
    assert verify(folder).code == 0
