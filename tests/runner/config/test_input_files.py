"""A run that reads its values from files has another id when any of them changes."""

from __future__ import annotations

import json

import numpy as np
import pytest

from initlab.engine import formats
from initlab.engine.formats import Snapshot
from initlab.runner.check.verify import verify
from initlab.runner.config import identity
from initlab.runner.config.input_files import input_files

MODEL = ("model.input=[4]", "data=normal", "probe=none")
LAYERS = "model.layers=[{kind: dense, units: 3}]"


def write(value, folder):
    tensors = {"0.weight": np.full((3, 4), value, np.float32), "0.bias": np.ones(3, np.float32)}
    for name, some in (("a", ["0.weight"]), ("b", ["0.bias"]), ("whole", list(tensors))):
        path = folder / f"{name}.safetensors"
        formats.get(path).write(path, Snapshot({one: tensors[one] for one in some}))
    where = {"0.weight": "a.safetensors", "0.bias": "b.safetensors"}
    text = json.dumps({"metadata": {}, "weight_map": where})
    (folder / "m.index.json").write_text(text, encoding="utf-8")


OWN = "weight_initializer: {kind: load, param: whole.safetensors}"
WORDS = {
    "a file": ("init=load", "init.param=whole.safetensors", LAYERS),
    "a sharded file": ("init=load", "init.param=m.index.json", LAYERS),
    "a rule": (
        "init=mixed",
        "init.rules=[{match: '.*', init: {kind: load, param: whole.safetensors}}]",
        LAYERS,
    ),
    "a layer's own": (f"model.layers=[{{kind: dense, units: 3, {OWN}}}]",),
    "what another file lacks": (
        "init=load",
        "init.param=b.safetensors",
        "init.default_init={kind: load, param: a.safetensors}",
        LAYERS,
    ),
}


@pytest.mark.parametrize("how", WORDS)
def test_other_values_in_a_file_are_another_run(how, only_run, tmp_path):
    write(1, tmp_path)
    first = only_run(*WORDS[how], *MODEL)
    assert verify(first).code == 0
    write(2, tmp_path)
    second = only_run(*WORDS[how], *MODEL)
    assert verify(second).code == 0
    assert first.name != second.name
    said = verify(first)
    assert (said.code, "has changed since the run" in said.text) == (2, True)


@pytest.mark.parametrize("how", [how for how in WORDS if how != "a file"])
def test_a_run_that_an_earlier_version_made_is_verified(how, only_run, tmp_path, monkeypatch):
    write(1, tmp_path)
    with monkeypatch.context() as earlier:
        earlier.setattr(
            identity,
            "input_files",
            lambda resolved: {
                place: file
                for place, file in input_files(resolved).items()
                if place == "init.param"
            },
        )
        folder = only_run(*WORDS[how], *MODEL)
    assert verify(folder).code == 0


def test_a_file_that_is_no_index_has_no_parts(tmp_path):
    (tmp_path / "x.json").write_text("{}", encoding="utf-8")
    file = str(tmp_path / "x.json")
    assert input_files({"init": {"kind": "load", "param": file}}) == {"init.param": file}


def test_a_run_that_loads_nothing_has_no_files():
    assert input_files({"init": {"kind": "normal", "sigma": 0.1}, "model": None}) == {}
