"""Convolution, pooling, normalization and embedding: what MXNet 1.9.1 computed, shapes without
computing, and fans.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from initlab.engine import autograd, init, nd, streams
from initlab.engine.errors import MXNetError
from initlab.engine.gluon import Trainer, nn
from initlab.engine.init import Description
from initlab.runner.data.digits import Digits

RECORDED = np.load(Path(__file__).parents[2] / "vectors" / "mxnet-layers.npz", allow_pickle=False)
CONVOLUTIONS = {
    "c1": {"kernel": (3,), "stride": (2,), "pad": (1,), "num_filter": 5},
    "c2": {
        "kernel": (3, 2),
        "stride": (2, 1),
        "pad": (1, 0),
        "dilate": (1, 2),
        "num_filter": 6,
        "num_group": 2,
    },
    "c3": {"kernel": (2, 2, 2), "pad": (0, 1, 0), "num_filter": 3},
}
POOLS = {
    "pmv": {"pool_type": "max"},
    "pmf": {"pool_type": "max", "pooling_convention": "full"},
    "pav": {"pool_type": "avg"},
    "paf": {"pool_type": "avg", "pooling_convention": "full"},
    "pan": {"pool_type": "avg", "count_include_pad": False},
    "pafn": {"pool_type": "avg", "count_include_pad": False, "pooling_convention": "full"},
}


@pytest.fixture(autouse=True)
def seeded():
    streams.seed(0)


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


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_a_convolution_computes_what_mxnet_computed(name):
    compare(name, lambda x, w, b: nd.Convolution(x, w, b, **CONVOLUTIONS[name]), 3)


@pytest.mark.parametrize("name", POOLS)
def test_pooling_computes_what_mxnet_computed(name):
    compare(
        name, lambda x: nd.Pooling(x, kernel=(3, 2), stride=(2, 2), pad=(1, 1), **POOLS[name]), 1
    )


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
    (lambda: nn.Conv1D(5, 3, strides=2, padding=1), (2, 3, 9)),
    (
        lambda: nn.Conv2D(
            6, (3, 2), strides=(2, 1), padding=(1, 0), dilation=(1, 2), groups=2, activation="relu"
        ),
        (2, 4, 7, 8),
    ),
    (lambda: nn.Conv3D(3, 2), (2, 2, 4, 3, 5)),
    (lambda: nn.MaxPool2D(3, 2, 1), (2, 3, 8, 7)),
    (lambda: nn.MaxPool2D(3, 2, 1, ceil_mode=True), (2, 3, 8, 7)),
    (lambda: nn.AvgPool1D(2), (2, 3, 8)),
    (lambda: nn.MaxPool3D(), (1, 2, 4, 4, 4)),
    (lambda: nn.GlobalAvgPool2D(), (2, 3, 8, 7)),
    (lambda: nn.GlobalMaxPool1D(), (2, 3, 8)),
    (lambda: nn.BatchNorm(), (2, 3, 4)),
    (lambda: nn.LayerNorm(), (2, 3, 4)),
    (lambda: nn.Embedding(7, 5), (2, 3)),
]


@pytest.mark.parametrize(("make", "shape"), LAYERS, ids=[repr(make()) for make, _ in LAYERS])
def test_the_inferred_shape_is_the_computed_one(make, shape):
    layer = make()
    inferred = layer.infer_shape(shape)
    fresh = make()
    fresh.initialize(init.Normal(0.1))
    assert fresh(nd.ones(shape)).shape == inferred
    assert {k.rsplit("_", 1)[-1]: p.shape for k, p in layer.params.items()} == {
        k.rsplit("_", 1)[-1]: p.shape for k, p in fresh.params.items()
    }


def test_a_grouped_convolution_counts_the_inputs_and_outputs_of_one_group():
    layer = nn.Conv2D(12, 3, groups=4, in_channels=8)
    weight = layer.weight
    description = Description("w", "w", weight.shape, "float32", weight.roles)
    assert weight.shape == (12, 2, 3, 3)
    assert (description.fans.fan_in, description.fans.fan_out) == (2 * 9, 3 * 9)
    assert description.shape_fans.fan_out == 12 * 9


@pytest.mark.parametrize(
    ("make", "shape", "message"),
    [
        (lambda: nn.Conv2D(3, 5), (1, 1, 4, 4), r"kernel \(5, 5\) exceeds the input \(4, 4\)"),
        (lambda: nn.Conv2D(3, 3, in_channels=2), (1, 3, 8, 8), "Shape inconsistent, Provided = "),
        (
            lambda: nn.Conv2D(4, 3, groups=2),
            (1, 3, 8, 8),
            "3 input channels do not divide into 2 groups",
        ),
        (lambda: nn.Conv2D(4, 3), (1, 3, 8), "Conv2D needs an input of 4 axes, NCHW"),
    ],
)
def test_an_input_that_does_not_fit_is_refused(make, shape, message):
    with pytest.raises(MXNetError, match=message):
        make().infer_shape(shape)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nn.Conv2D(3, 3, groups=2), r"channels \(3\) .* must be multiples of groups \(2\)"),
        (lambda: nn.MaxPool2D(-1), "pool_size must be whole numbers of at least 1, got -1"),
    ],
)
def test_an_impossible_layer_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_small_convolutional_network_learns_the_digits():
    batch = Digits(batch=256).load((1, 8, 8), 0)
    net = nn.HybridSequential()
    net.add(
        nn.Conv2D(8, 3, padding=1),
        nn.BatchNorm(),
        nn.Activation("relu"),
        nn.MaxPool2D(),
        nn.Flatten(),
        nn.Dense(10),
    )
    net.initialize(init.Xavier())
    trainer = Trainer(net.collect_params(), "adam", {"learning_rate": 0.02})
    x, y = nd.array(batch.inputs), nd.array(batch.labels)
    for _ in range(25):
        with autograd.record():
            loss = -nd.pick(nd.log_softmax(net(x)), y)
        loss.backward()
        trainer.step(256)
    assert (net(x).argmax(axis=1) == y).mean().asscalar() > 0.9
