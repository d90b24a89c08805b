"""Initializers that do not do what their name promises where they stand."""

from __future__ import annotations

import json

import pytest

from initlab.runner.declare import declare
from initlab.runner.symptoms.promise import right_variance


def found(folder, layers, *words, shape=(64,)):
    (folder / "model").mkdir(exist_ok=True)
    text = {"defaults": ["/schema/model@_here_", "_self_"], "input": list(shape), "layers": layers}
    (folder / "model" / "own.yaml").write_text(json.dumps(text))
    declared = declare("model=own", "data.batch=16", *words, config_dir=str(folder))
    return {one.id: one for one in declared.diagnose().findings}


def dense(activation, depth, *more):
    layers = [
        {"kind": "dense", "units": 64},
        *more,
        {"kind": "activation", "activation": activation},
    ]
    block = {"kind": "repeat", "times": depth, "name": "blocks", "layers": layers}
    return [block, {"kind": "dense", "units": 10}]


@pytest.mark.parametrize(
    "activation, init, promises, needs",
    [
        ("relu", "init=glorot_normal", "1 / fan_in", "2 / fan_in"),
        ("relu", "init=lecun", "1 / fan_in", "2 / fan_in"),
        ("tanh", "init=he", "2 / fan_in", "1 / fan_in"),
        ("tanh", "init=xavier init.rnd_type=gaussian", "3 / fan_in", "1 / fan_in"),
    ],
)
def test_the_gain_of_another_activation_is_named_and_grows_with_depth(
    tmp_path, activation, init, promises, needs
):
    one = found(tmp_path, dense(activation, 8), *init.split())["not-as-named"]
    assert promises in one.measured and one.expected == needs
    ratio = float(promises[0]) / float(needs[0])
    assert one.figure == pytest.approx(min(max(ratio, 1 / ratio) ** 4, 30), rel=0.02)
    assert one.severity == "odd"


def test_what_a_bounded_activation_stops_from_growing_is_odd_at_any_depth(tmp_path):
    words = ("init=variance_scaling", "init.scale=2.7778")  # torch's gain for tanh, squared
    one = found(tmp_path, dense("tanh", 30), *words)["not-as-named"]
    assert one.severity == "odd" and "30 such layers, whose signal tanh bounds" in one.measured
    unbounded = found(tmp_path, dense("relu", 30), "init=variance_scaling", "init.scale=5")
    assert unbounded["not-as-named"].severity == "harmful"


@pytest.mark.parametrize(
    "activation, init",
    [("relu", "he"), ("relu", "he_fan_out"), ("gelu", "he"), ("tanh", "glorot_normal")],
)
def test_the_gain_of_the_activation_is_right_at_any_depth(tmp_path, activation, init):
    assert "not-as-named" not in found(tmp_path, dense(activation, 12), f"init={init}")


def test_behind_a_normalization_any_gain_is_right(tmp_path):
    layers = dense("relu", 8, {"kind": "layer_norm"})
    assert "not-as-named" not in found(tmp_path, layers, "init=lecun")


def test_fans_of_the_shape_alone_are_named_where_they_are_not_those_of_the_connections(tmp_path):
    layers = [
        {"kind": "conv2d", "channels": 32, "kernel_size": 3, "padding": 1, "groups": 8},
        {"kind": "activation", "activation": "relu"},
    ]
    grouped = [
        {"kind": "conv2d", "channels": 32, "kernel_size": 1},
        {"kind": "repeat", "times": 6, "name": "blocks", "layers": layers},
        {"kind": "flatten"},
        {"kind": "dense", "units": 10},
    ]
    words = ("init=msra_prelu", "init.slope=0")
    by_shape = found(tmp_path, grouped, *words, "init.fans=shape", shape=(1, 8, 8))
    assert "with fans of the shape alone" in by_shape["not-as-named"].measured
    assert "not-as-named" not in found(tmp_path, grouped, *words, shape=(1, 8, 8))


def residual(factor):
    inner = [
        {"kind": "activation", "activation": "relu"},
        {"kind": "dense", "units": 64},
        {"kind": "scale", "factor": factor},
    ]
    block = {"kind": "residual", "name": "block", "layers": inner}
    blocks = {"kind": "repeat", "times": 16, "name": "blocks", "layers": [block]}
    return [{"kind": "dense", "units": 64}, blocks, {"kind": "dense", "units": 10}]


def test_branches_that_a_factor_and_the_initializer_make_small_are_scaled_twice(tmp_path):
    one = found(tmp_path, residual(0.25), "init=residual_scaled")["scaled-twice"]
    assert one.severity == "odd" and one.figure == pytest.approx(4, rel=1e-3)
    assert "ResidualScaled" in one.measured and one.instead == ()


@pytest.mark.parametrize("factor, init", [(1.0, "residual_scaled"), (0.25, "he")])
def test_branches_that_one_of_them_makes_small_are_right(tmp_path, factor, init):
    assert "scaled-twice" not in found(tmp_path, residual(factor), f"init={init}")


def test_the_right_variance_is_not_known_for_every_activation():
    assert right_variance("relu") == pytest.approx(2)
    assert right_variance("tanh") == 1
    assert right_variance("tanh", 0.05) == pytest.approx(1.7609546, rel=1e-6)
    assert right_variance("sigmoid") is None and right_variance(None) is None
