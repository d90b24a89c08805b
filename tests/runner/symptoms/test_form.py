"""The form of a network, as the plan and the declared blocks show it."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
from rich.console import Console

import initlab
from initlab.engine import init
from initlab.engine.gluon import nn
from initlab.runner.declare import declare
from initlab.runner.diagnosis.diagnose import findings_declared
from initlab.runner.observation.passes import observe
from initlab.runner.run import stages
from initlab.runner.run.showing import diagnosis_of, show
from initlab.runner.symptoms.form import form_seen
from initlab.runner.symptoms.promise import connected

FORM = ("not-as-named", "scaled-twice")
X = np.random.default_rng(0).normal(size=(16, 64)).astype(np.float32)


def chain(depth, activation):
    block = [
        {"kind": "dense", "units": 64},
        {"kind": "activation", "activation": activation},
    ]
    blocks = {"kind": "repeat", "times": depth, "name": "blocks", "layers": block}
    return [blocks, {"kind": "dense", "units": 10}]


def residual(factor, **more):
    inner = [
        {"kind": "activation", "activation": "relu"},
        {"kind": "dense", "units": 64},
        {"kind": "scale", "factor": factor, **more},
    ]
    block = {"kind": "residual", "name": "block", "layers": inner}
    blocks = {"kind": "repeat", "times": 16, "name": "blocks", "layers": [block]}
    return [{"kind": "dense", "units": 64}, blocks, {"kind": "dense", "units": 10}]


def declared(folder, layers, *words):
    (folder / "model").mkdir(exist_ok=True)
    text = {"defaults": ["/schema/model@_here_", "_self_"], "input": [64], "layers": layers}
    (folder / "model" / "own.yaml").write_text(json.dumps(text))
    return declare("model=own", "data.batch=16", *words, config_dir=str(folder)).checked


CASES = {
    "gain of another activation": (chain(8, "tanh"), "init=he", {"not-as-named"}),
    "right gain": (chain(8, "relu"), "init=he", set()),
    "scaled twice": (residual(0.25), "init=residual_scaled", {"scaled-twice"}),
    "scaled by a number": (residual(0.25), "init=he", set()),
    "learned factor": (residual(0.25, learnable=True), "init=residual_scaled", {"scaled-twice"}),
    "learned factor of 0": (residual(0.0, learnable=True), "init=residual_scaled", set()),
}


@pytest.mark.parametrize("name", CASES)
def test_the_plan_alone_finds_what_the_pass_finds(tmp_path, name):
    layers, word, expected = CASES[name]
    config = declared(tmp_path, layers, word)
    by_plan = {one.id: one for one in findings_declared(config.form)}
    by_pass = {one.id: one for one in diagnosis_of(config).findings if one.id in FORM}
    assert set(by_plan) == set(by_pass) == expected
    for one in by_plan.values():
        assert one.where == by_pass[one.id].where
        assert one.figure == pytest.approx(by_pass[one.id].figure, rel=1e-3)


@pytest.mark.parametrize("model", ["mlp", "lenet", "residual_mlp"])
def test_the_declared_form_of_a_shipped_model_is_that_of_its_pass(model):
    config = declare(f"model={model}", "init=he").checked
    rows = {row.path: row for row in config.plan.rows}
    network, _ = stages.initialize(config)
    seen = observe(stages.subject_of(config, network))
    assert connected(config.form) == connected(form_seen(seen, rows))


def test_the_plan_prints_what_is_not_as_named_and_what_to_type(tmp_path):
    out = Console(file=io.StringIO(), width=100)
    show(declared(tmp_path, chain(8, "tanh"), "init=he", "task=plan"), out)
    text = out.file.getvalue()
    assert "as declared: 1 odd; worst: not-as-named at blocks.0.0.weight" in text
    assert "instead: init=orthogonal" in text


def test_a_plan_with_nothing_to_say_has_no_line_about_it(tmp_path):
    out = Console(file=io.StringIO(), width=100)
    show(declared(tmp_path, chain(8, "relu"), "init=he", "task=plan"), out)
    assert "as declared" not in out.file.getvalue()


def made_of(initializer, activation="tanh", depth=8):
    net = nn.HybridSequential()
    net.add(*[nn.Dense(64, activation=activation) for _ in range(depth)], nn.Dense(10))
    net.initialize(initializer)
    net(initlab.engine.nd.array(X))
    return net


def named(net):
    return {one.id for one in initlab.diagnose(net, X).findings} & set(FORM)


def test_a_network_made_in_python_is_held_against_the_names_of_its_initializers():
    assert named(made_of(init.create("he"))) == {"not-as-named"}
    assert named(made_of(init.create("he"), "relu")) == set()


def test_weights_that_were_changed_are_no_longer_what_was_drawn():
    net = made_of(init.create("he"))
    for parameter in net.collect_params().values():
        parameter.set_data(parameter.data() * 0.7)
    assert named(net) == set()
