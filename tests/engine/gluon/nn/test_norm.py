"""Normalization layers: what MXNet 1.9.1 computed, shapes, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import recorded_layers

from initlab.engine import autograd, init, nd, streams
from initlab.engine.gluon import nn

RECORDED = np.load(Path(__file__).parents[3] / "vectors" / "mxnet-layers.npz", allow_pickle=False)


@pytest.fixture(autouse=True)
def seeded():
    streams.seed(0)


def test_running_statistics_move_when_a_training_forward_runs():
    """MXNet moves them when the gradients are computed."""
    layer = nn.BatchNorm(in_channels=1)
    layer.initialize()
    with autograd.record():
        layer(nd.array([[1.0], [3.0]]))
    np.testing.assert_allclose(layer.running_mean.data().asnumpy(), [0.2], rtol=1e-6)


@pytest.mark.parametrize(
    ("make", "shape", "message"),
    [
        (
            lambda p: nn.LayerNorm(in_channels=4, prefix=p),
            (2, 3),
            r"a_fwd: Shape inconsistent, Provided = \[4\], inferred shape=\[3\]: gamma, for axis -1 of an input of shape \(2, 3\)",
        ),
        (
            lambda p: nn.BatchNorm(axis=3, prefix=p),
            (2, 3),
            r"a: an input of shape \(2, 3\) has no axis 3",
        ),
        (
            lambda p: nn.GroupNorm(3, prefix=p),
            (2, 4, 3),
            r"a: # of channels must be divisible by # of groups: axis 1 of an input of shape \(2, 4, 3\), 3 groups",
        ),
    ],
)
def test_an_input_that_does_not_fit_is_refused_and_the_layer_named(make, shape, message):
    net = nn.HybridSequential()
    layer = make("a_")
    net.register_child(layer, "part")
    with pytest.raises(Exception, match=message) as caught:
        net.output_shape(shape)
    assert caught.value.path == "part"


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (
            lambda: nn.GroupNorm(0),
            ValueError,
            "num_groups must be a whole number of at least 1, got 0",
        ),
    ],
)
def test_an_impossible_layer_is_refused(make, error, message):
    with pytest.raises(error, match=message):
        make()


@pytest.mark.parametrize(
    ("name", "layer"),
    [
        ("bn", lambda: nn.BatchNorm(momentum=0.8)),
        ("bn2", lambda: nn.BatchNorm(axis=-1, scale=False)),
        ("ln", lambda: nn.LayerNorm()),
        ("ln1", lambda: nn.LayerNorm(axis=1)),
    ],
)
def test_normalization_computes_what_mxnet_computed(name, layer):
    layer = layer()
    layer.initialize()
    x = nd.array(RECORDED["norm_x"])
    x.attach_grad()
    with autograd.record():
        y = layer(x)
    y.backward(nd.array(RECORDED["norm_g"]))
    np.testing.assert_allclose(y.asnumpy(), RECORDED[f"{name}_y"], atol=1e-5)
    np.testing.assert_allclose(x.grad.asnumpy(), RECORDED[f"{name}_dx"], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(layer.beta.grad().asnumpy(), RECORDED[f"{name}_dbeta"], atol=1e-5)
    if f"{name}_dgamma" in RECORDED:
        np.testing.assert_allclose(
            layer.gamma.grad().asnumpy(), RECORDED[f"{name}_dgamma"], atol=1e-5
        )
    if name.startswith("bn"):
        np.testing.assert_allclose(
            layer.running_mean.data().asnumpy(), RECORDED[f"{name}_rm"], atol=1e-6
        )
        np.testing.assert_allclose(
            layer.running_var.data().asnumpy(), RECORDED[f"{name}_rv"], atol=1e-6
        )
        np.testing.assert_allclose(layer(x).asnumpy(), RECORDED[f"{name}_p"], atol=1e-5)


def test_global_statistics_are_used_and_kept():
    layer = nn.BatchNorm(use_global_stats=True, in_channels=3)
    layer.initialize()
    with autograd.record():
        y = layer(nd.ones((2, 3)) * 5)
    np.testing.assert_allclose(y.asnumpy(), 5, rtol=1e-4)
    assert layer.running_mean.data().tolist() == [0, 0, 0]


LAYERS = [
    (lambda: nn.BatchNorm(), (2, 3, 4)),
    (lambda: nn.LayerNorm(), (2, 3, 4)),
]


@pytest.mark.parametrize(("make", "shape"), LAYERS, ids=[repr(make()) for make, _ in LAYERS])
def test_the_inferred_shape_is_the_computed_one(make, shape):
    layer = make()
    inferred = layer.output_shape(shape)
    fresh = make()
    fresh.initialize(init.Normal(0.1))
    assert fresh(nd.ones(shape)).shape == inferred
    assert {k.rsplit("_", 1)[-1]: p.shape for k, p in layer.params.items()} == {
        k.rsplit("_", 1)[-1]: p.shape for k, p in fresh.params.items()
    }


def test_a_new_layer_has_mxnets_parameters_and_printed_form(recorded, fresh_seed):
    recorded_layers.check_parameters_and_print(*recorded)


def test_the_inferred_shapes_are_mxnets(recorded, fresh_seed):
    recorded_layers.check_shapes(*recorded)


def test_a_layer_computes_what_mxnet_computed(recorded, fresh_seed):
    recorded_layers.check_computes(*recorded)


def test_hybridizing_changes_nothing_and_deferred_values_are_the_eager_ones(recorded, fresh_seed):
    recorded_layers.check_hybridized(*recorded)


def test_no_layer_takes_an_option_it_does_not_know(recorded):
    recorded_layers.check_unknown_option(*recorded)


def test_global_statistics_are_switched_on_in_kwargs_as_in_mxnet():
    layer = nn.BatchNorm(in_channels=1)
    assert layer._kwargs == {
        "axis": 1,
        "eps": 1e-5,
        "momentum": 0.9,
        "fix_gamma": False,
        "use_global_stats": False,
    }
    layer.initialize()
    layer._kwargs["use_global_stats"] = True
    with autograd.record():
        y = layer(nd.array([[1.0], [3.0]]))
    assert y.asnumpy().round(3).tolist() == [[1], [3]]
    assert layer.running_mean.data().tolist() == [0]
