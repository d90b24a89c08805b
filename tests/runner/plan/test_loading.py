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
    assert "init.param: " in done.err
    assert "has every name with 'net.' in front: 'net.0.weight' for '0.weight'" in done.err


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
    assert " has other values for 'a.weight' than for 'b.weight'" in done.err


def test_a_run_that_an_earlier_version_made_of_such_a_file_is_verified(
    loading, monkeypatch, tmp_path
):
    with monkeypatch.context() as earlier:
        earlier.setattr(Load, "check_parameters", lambda self, parameters: [])
        done = loading({**TENSORS, "x": TENSORS["0.bias"]})
    assert done.code == 0, done.err
    [folder] = tmp_path.glob("outputs/runs/*")
    assert verify(folder).code == 0


def test_the_options_of_an_advice_can_be_typed(loading, tmp_path):
    done = loading({"0.weight": TENSORS["0.weight"], "0.b": TENSORS["0.bias"]})
    file = tmp_path / "first.safetensors"
    assert done.err.splitlines() == [
        f"error: init.param: {file} has 1 tensor that no parameter takes: '0.b' - did you mean "
        "'0.bias'? init.partial=true allows it",
        f"error: init.param: {file} lacks 1 of 2 parameters: '0.bias' - give init.default_init for "
        "them, or init.partial=true to keep their layers' defaults",
    ]


def test_the_options_of_an_advice_in_a_rule_can_be_typed(command, tmp_path):
    path = tmp_path / "first.safetensors"
    formats.get("safetensors").write(
        path, Snapshot({"0.weight": TENSORS["0.weight"], "b": TENSORS["0.bias"]})
    )
    rule = f"{{match: '.*', init: {{kind: load, param: {path}}}}}"
    done = command("init=mixed", f"init.rules=[{rule}]", *MODEL)
    assert done.code == 2
    assert " - init.rules.0.init.partial=true allows it" in done.err
    assert " - give init.rules.0.init.default_init for them" in done.err


def test_all_tensors_of_another_shape_are_named_with_their_file(loading, tmp_path):
    done = loading(
        {"0.weight": TENSORS["0.weight"].T.copy(), "0.bias": np.ones((3, 1), np.float32)}
    )
    assert (done.code, done.err.splitlines()) == (
        2,
        [
            f"error: init.param: {tmp_path / 'first.safetensors'} has 2 tensors of another shape than "
            "their parameters: '0.weight' (4x3, its parameter 3x4: transposed), '0.bias' (3x1, its "
            "parameter 3: axes of length 1) - change the model, or write the file with these shapes"
        ],
    )


@pytest.mark.parametrize("partial", ["true", "false"])
def test_a_tensor_of_another_shape_is_refused_whatever_is_allowed(loading, partial):
    done = loading(
        {"0.weight": np.ones((3, 5), np.float32)},
        f"init.partial={partial}",
        "init.default_init={kind: he}",
    )
    assert done.code == 2
    assert (
        "has 1 tensor of another shape than its parameter: '0.weight' (3x5, its parameter 3x4)"
        in done.err
    )


def test_a_run_folder_is_refused_with_the_file_to_give(loading, command, tmp_path):
    assert loading(TENSORS).code == 0
    [folder] = tmp_path.glob("outputs/runs/*")
    done = command("init=load", f"init.param={folder}", *MODEL)
    assert done.code == 2
    assert (
        f"init.param: cannot be read: {folder}: is a folder - give the file in it: {folder}/snapshot.saf"
        in done.err
    )


def test_a_file_that_is_not_there_has_its_neighbour_named(loading, command, tmp_path):
    assert loading(TENSORS, "task=plan").code == 0
    done = command("init=load", "init.param=frist.safetensors", *MODEL)
    assert done.err == (
        "error: init.param: names a file that does not exist: frist.safetensors - did you mean "
        "'first.safetensors'?\n"
    )
    done = command("init=load", 'init.param="~/x.safetensors"', *MODEL)
    assert "does not exist: ~/x.safetensors - '~' is not expanded here, write " in done.err


@pytest.mark.parametrize("task", ["run", "plan"])
def test_tensors_of_another_dtype_are_listed(loading, task, tmp_path):
    done = loading(
        {"0.weight": TENSORS["0.weight"].astype("f8"), "0.bias": TENSORS["0.bias"].astype("f2")},
        f"task={task}",
    )
    assert done.code == 0
    file = tmp_path / "first.safetensors"
    assert (
        f"1 tensor of {file} is converted from float64 to float32, which may round: '0.weight'"
        in done.out
    )
    assert f"1 tensor of {file} is converted from float16 to float32: '0.bias'" in done.out
    if task == "run":
        [plan] = tmp_path.glob("outputs/runs/*/plan.json")
        assert "remarks" not in json.loads(plan.read_text(encoding="utf-8"))


def test_tensors_of_the_same_dtype_are_not_remarked(loading):
    assert "converted" not in loading(TENSORS).out
