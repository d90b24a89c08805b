"""Layer kinds of `runner.layers.basic`: runs in both modes, and options that cannot be."""

from __future__ import annotations

import layer_cases


def test_a_kind_has_the_same_values_in_both_modes(kind, only_run):
    layer_cases.check_both_modes(kind, only_run)


def test_an_unknown_kind_is_refused_with_the_nearest_name(command):
    layer_cases.check_refused(
        "{kind: conv2, channels: 5}", "no layer kind 'conv2' - did you mean 'conv2d'?", command
    )


def test_a_dense_layer_has_a_weight_a_unit_and_an_input(only_run):
    layers = "model.layers=[{kind: dense, name: d, units: 3, use_bias: false}]"
    values = layer_cases.tensors(only_run(layers, "model.input=[4]", "init=one"))
    assert {path: array.shape for path, array in values.items()} == {"d.weight": (3, 4)}
