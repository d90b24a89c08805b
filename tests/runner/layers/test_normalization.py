"""Layer kinds of `runner.layers.normalization`: runs in both modes, and options that cannot be."""

from __future__ import annotations

import json

import layer_cases
from layer_cases import tensors

CONVOLUTIONAL = (
    "model.layers=[{kind: conv2d, name: c, channels: 4, kernel_size: [3, 3], padding: 1, groups: 2, activation: relu}, {kind: batch_norm, name: n}, "
    "{kind: avg_pool2d, name: p}, {kind: residual, name: r, layers: [{kind: conv2d, name: x, channels: 4, kernel_size: 1}]}, "
    "{kind: global_avg_pool2d, name: g}, {kind: flatten, name: f}, {kind: dense, name: d, units: 10}]"
)


WORDS = [CONVOLUTIONAL, "model.input=[2,8,8]", "init=he", "data=normal", "data.batch=8"]


def test_first_values_are_kept_though_training_moves_running_statistics(only_run):
    values = tensors(only_run(*WORDS, "probe=backward"))
    assert values["n.running_mean"].tolist() == [0] * 4
    assert values["n.running_var"].tolist() == [1] * 4


def test_a_rule_that_names_a_layers_default_is_used(only_run):
    rules = "init.rules=[{match: '.*gamma', init: {kind: constant, value: 0.5}}, {match: '.*weight', init: {kind: he}}]"
    folder = only_run(*WORDS[:2], "init=mixed", rules)
    assert tensors(folder)["n.gamma"].tolist() == [0.5] * 4
    assert tensors(folder)["n.beta"].tolist() == [0] * 4


def test_defaults_of_the_new_layers_are_named_in_the_plan(only_run):
    folder = only_run(
        "model.layers=[{kind: prelu, name: p}, {kind: layer_norm, name: n}]",
        "model.input=[3]",
        "init=he",
    )
    rows = {
        row["path"]: row["rule"] for row in json.loads((folder / "plan.json").read_text())["rows"]
    }
    assert rows == {
        "p.alpha": "prelu's default",
        "n.gamma": "layer_norm's default",
        "n.beta": "layer_norm's default",
    }
    assert tensors(folder)["p.alpha"].tolist() == [0.25]


def test_a_kind_has_the_same_values_in_both_modes(kind, only_run):
    layer_cases.check_both_modes(kind, only_run)


def test_invalid_arguments_are_refused(refused, command):
    layer_cases.check_refused(*refused, command)
