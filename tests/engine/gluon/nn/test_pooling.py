"""Pooling layers: what MXNet 1.9.1 computed, shapes, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import recorded_layers

from initlab.engine import autograd, init, nd, streams
from initlab.engine.gluon import nn

RECORDED = np.load(Path(__file__).parents[3] / "vectors" / "mxnet-layers.npz", allow_pickle=False)


def compare(name, apply, count):
    """Result and gradients against the recorded ones."""
    arrays = [nd.array(RECORDED[f"{name}_x{i}"]) for i in range(count)]
    for array in arrays:
        array.attach_grad()
    with autograd.record():
        y = apply(*arrays)
    y.backward(nd.array(RECORDED[f"{name}_g"]))
    np.testing.assert_allclose(y.asnumpy(), RECORDED[f"{name}_y"], atol=1e-5)
    for i, array in enumerate(arrays):
        np.testing.assert_allclose(array.grad.asnumpy(), RECORDED[f"{name}_d{i}"], atol=1e-5)


@pytest.fixture(autouse=True)
def seeded():
    streams.seed(0)


@pytest.mark.parametrize(
    ("make", "shape", "message"),
    [
        (
            lambda p: nn.MaxPool2D(prefix=p),
            (1, 3, 8),
            r"a: MaxPool2D needs an input of 4 axes, NCHW, got shape \(1, 3, 8\)",
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
            lambda: nn.MaxPool3D(layout="NCHW"),
            AssertionError,
            "Only NCDHW and NDHWC layouts are valid for 3D Pooling",
        ),
        (
            lambda: nn.AvgPool2D((1, 2, 3)),
            AssertionError,
            "pool_size must be a number or a list of 2 ints",
        ),
    ],
)
def test_an_impossible_layer_is_refused(make, error, message):
    with pytest.raises(error, match=message):
        make()


POOLS = {
    "pmv": {"pool_type": "max"},
    "pmf": {"pool_type": "max", "pooling_convention": "full"},
    "pav": {"pool_type": "avg"},
    "paf": {"pool_type": "avg", "pooling_convention": "full"},
    "pan": {"pool_type": "avg", "count_include_pad": False},
    "pafn": {"pool_type": "avg", "count_include_pad": False, "pooling_convention": "full"},
}


@pytest.mark.parametrize("name", POOLS)
def test_pooling_computes_what_mxnet_computed(name):
    compare(
        name, lambda x: nd.Pooling(x, kernel=(3, 2), stride=(2, 2), pad=(1, 1), **POOLS[name]), 1
    )


LAYERS = [
    (lambda: nn.MaxPool2D(3, 2, 1), (2, 3, 8, 7)),
    (lambda: nn.MaxPool2D(3, 2, 1, ceil_mode=True), (2, 3, 8, 7)),
    (lambda: nn.AvgPool1D(2), (2, 3, 8)),
    (lambda: nn.MaxPool3D(), (1, 2, 4, 4, 4)),
    (lambda: nn.GlobalAvgPool2D(), (2, 3, 8, 7)),
    (lambda: nn.GlobalMaxPool1D(), (2, 3, 8)),
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


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nn.MaxPool2D(-1), "pool_size must be whole numbers of at least 1, got -1"),
    ],
)
def test_invalid_options_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


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


def test_options_are_read_in_kwargs_as_in_mxnet():
    assert nn.MaxPool2D(3, 2, 1, ceil_mode=True)._kwargs == {
        "kernel": (3, 3),
        "stride": (2, 2),
        "pad": (1, 1),
        "global_pool": False,
        "pool_type": "max",
        "layout": "NCHW",
        "pooling_convention": "full",
    }
    assert nn.AvgPool1D(2, count_include_pad=False)._kwargs["count_include_pad"] is False
    assert "count_include_pad" not in nn.GlobalAvgPool2D()._kwargs
