"""`semantics`: what a layer's own initializer is."""

from __future__ import annotations

import json

import numpy as np
import pytest

import initlab
from initlab.engine import formats
from initlab.runner.check.verify import verify

NET = "model.layers=[{kind: dense, name: a, units: 4}, {kind: dense, name: b, units: 3}]"


def rules(*words):
    return {row.path: (row.rule, str(row.law)) for row in initlab.declare(*words).plan.rows}


def content(folder):
    return json.loads((folder / "manifest.json").read_text(encoding="utf-8"))


def tensors(folder):
    return formats.get("safetensors").read(folder / "snapshot.safetensors").tensors


def test_by_default_it_is_initlabs_and_no_part_of_a_runs_id(only_run):
    folder = only_run()
    assert folder.name == "uniform-seed0-7041a013630b95cf"  # as before there were semantics
    assert content(folder)["config"]["semantics"] == "initlab"
    assert "semantics" not in content(folder)["canonical"]
    assert only_run("semantics=initlab").name == only_run("init=uniform").name == folder.name


def test_mxnets_layers_have_the_same_values_under_another_id(only_run):
    ours, theirs = only_run(), only_run("semantics=mxnet")
    assert content(theirs)["canonical"]["semantics"] == "mxnet"
    assert ours.name != theirs.name
    assert content(ours)["digests"] == content(theirs)["digests"]


def test_torchs_defaults_are_shown_in_the_plan_under_their_own_name(command):
    assert rules("semantics=torch", NET)["a.bias"] == (
        "torch's default of Linear",
        "Uniform(-0.223607, 0.223607)",
    )
    done = command("semantics=torch", NET, "task=plan")
    assert done.out.count("torch's default of Linear") == 4
    assert rules("semantics=torch", "model=lstm_lm", "data=text")["embed.weight"] == (
        "torch's default of Embedding",
        "Normal(0, 1)",
    )


def test_an_initializer_decides_about_what_gluons_layers_leave_to_it():
    found = rules("semantics=torch", "init=he", NET)
    assert found["a.weight"][0] == "init"
    assert found["a.bias"] == ("torch's default of Linear", "Uniform(-0.223607, 0.223607)")


def test_options_of_layers_and_rules_that_name_a_parameter_beat_torchs_defaults():
    words = [
        "model.layers=[{kind: dense, name: a, units: 4, weight_initializer: zeros}, "
        "{kind: dense, name: b, units: 3}]",
        "init=mixed",
        'init.rules=[{match: "b.bias", init: {kind: one}}, {match: ".*weight", init: {kind: he}}]',
    ]
    found = rules("semantics=torch", *words)
    assert found["a.weight"] == ("model.layers[0].weight_initializer", "Constant(0)")
    assert found["b.bias"] == ("init.rules[0]", "Constant(1)")
    assert found["a.bias"][0] == "torch's default of Linear"
    assert found["b.weight"][0] == "init.rules[1]"


@pytest.mark.parametrize("stream", ["initlab-1", "torch-2.13"])
def test_values_are_the_same_in_every_mode_and_verified(stream, only_run):
    modes = ["deferred", "eager"] + (["streamed"] if stream == "initlab-1" else [])
    folders = [
        only_run("semantics=torch", f"stream={stream}", f"init_mode={mode}") for mode in modes
    ]
    assert len({content(folder)["digests"]["root"] for folder in folders}) == 1
    for folder in folders:
        answer = verify(folder)
        assert answer.code == 0, answer.text


def test_ties_have_the_values_of_the_first_path(only_run):
    folder = only_run(
        "semantics=torch",
        "model.layers=[{kind: dense, name: a, units: 20}, {kind: dense, name: b, units: 20}]",
        "+model.share.both=[a.weight, b.weight]",
    )
    assert content(folder)["aliases"] == {"b.weight": "a.weight"}
    assert np.abs(tensors(folder)["a.weight"]).max() < np.float32(1 / np.sqrt(20))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["semantics=pytorch"],
            "semantics: cannot be 'pytorch' - did you mean 'torch'? Known: initlab, mxnet, torch.",
        ),
        (
            ["semantics=torch", "init.scale=0.3"],
            "init.scale: has no effect with semantics=torch, whose layers have initializers for all",
        ),
        (
            ["model.layers=[{kind: dense, units: 1, weight_initializer: default}]"],
            "model.layers.0.weight_initializer: holds 'default', which is for a whole network only",
        ),
        (
            ["init=mixed", "init.rules=[{match: .*, init: default}]"],
            "init: holds 'default', which is for a whole network only: init=default - name another",
        ),
    ],
)
def test_wrong_words_are_refused(words, said, command, tmp_path):
    done = command(*words)
    assert (done.code, said in done.err) == (2, True), done.err
    assert not (tmp_path / "outputs").exists()


def test_a_layer_that_torch_does_not_have_needs_an_initializer(command, tmp_path):
    plugin = tmp_path / "plugin.py"
    plugin.write_text(
        "from dataclasses import dataclass\n"
        "from initlab.engine.gluon import nn\n"
        "from initlab.runner.layers import Layer, register\n"
        "class Weighted(nn.HybridBlock):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        self.weight = self.params.get('weight', shape=(3, 4))\n"
        "    def output_shape(self, shape):\n"
        "        return shape\n"
        "    def hybrid_forward(self, F, x, weight):\n"
        "        return x\n"
        "@register\n"
        "@dataclass\n"
        "class Strange(Layer):\n"
        "    def build(self, context):\n"
        "        return Weighted()\n"
    )
    words = [
        "model.layers=[{kind: strange, name: odd}]",
        "semantics=torch",
        "--plugin",
        str(plugin),
    ]
    done = command(*words)
    said = (
        "torch has no layer like this, and so no default for 'odd.weight' - give it an initializer"
    )
    assert (done.code, f"model.layers.0: {said}" in done.err) == (2, True), done.err
    assert command(*words, "init=normal").code == 0
