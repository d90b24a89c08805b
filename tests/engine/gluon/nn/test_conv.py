"""Convolutions and their transposes: what MXNet 1.9.1 computed, shapes, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import recorded_layers

from initlab.engine import autograd, init, nd, streams
from initlab.engine.errors import MXNetError
from initlab.engine.gluon import Trainer, nn
from initlab.engine.init import Description
from initlab.runner.data.digits import Digits

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


@pytest.mark.parametrize("layout", ["NWC", "NHWC", "NDHWC"])
@pytest.mark.parametrize(
    "kind", ["Conv{}D", "Conv{}DTranspose", "MaxPool{}D", "AvgPool{}D", "GlobalMaxPool{}D"]
)
def test_channels_last_computes_what_channels_first_computes(kind, layout):
    axes = len(layout) - 2
    first = (0, axes + 1, *range(1, axes + 1))
    last = (0, *range(2, axes + 2), 1)
    args = {"C": (4, 2), "M": (2,), "A": (2,), "G": ()}[kind[0]]
    options = {"groups": 2} if kind.startswith("Conv") else {}
    layers = [
        getattr(nn, kind.format(axes))(*args, layout=name, **options) for name in (layout, None)
    ]
    x = nd.array(np.random.default_rng(0).normal(size=(2, *range(3, 3 + axes), 6)), dtype="float32")
    for layer, shape in zip(layers, (x.shape, x.transpose(first).shape), strict=True):
        layer.output_shape(shape)
        layer.initialize(init.Normal(1))
    if options:
        weight = layers[0].weight
        assert weight.roles == tuple(layers[1].weight.roles[a] for a in last)
        layers[1].weight.set_data(weight.data().transpose(first))
    y = layers[0](x)
    assert y.shape == layers[0].output_shape(x.shape)
    np.testing.assert_allclose(
        y.asnumpy(), layers[1](x.transpose(first)).transpose(last).asnumpy(), rtol=1e-6
    )


def test_a_transposed_convolution_counts_the_inputs_and_outputs_of_one_group():
    layer = nn.Conv2DTranspose(12, 3, groups=4, in_channels=8)
    description = init.Description("w", "w", layer.weight.shape, "float32", layer.weight.roles)
    assert layer.weight.shape == (8, 3, 3, 3)
    assert layer.weight.roles == ("in*4", "out", "spatial", "spatial")
    assert (description.fans.fan_in, description.fans.fan_out) == (2 * 9, 3 * 9)


@pytest.mark.parametrize(
    ("make", "shape", "message"),
    [
        (
            lambda p: nn.Conv2DTranspose(3, 3, in_channels=2, prefix=p),
            (1, 3, 8, 8),
            r"a_fwd: Shape inconsistent, Provided = \[2,3,3,3\], inferred shape=\(3,3,3,3\): axis 0 of the weight, for an input of shape \(1, 3, 8, 8\)",
        ),
        (
            lambda p: nn.Conv2DTranspose(3, 2, output_padding=1, prefix=p),
            (1, 3, 8, 8),
            r"output padding \(1, 1\) must be smaller than stride \(1, 1\)",
        ),
        (
            lambda p: nn.Conv1DTranspose(3, 2, padding=9, prefix=p),
            (1, 3, 4),
            r"padding \(9,\) leaves nothing of input \(4,\) with kernel \(2,\)",
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
            lambda: nn.Conv1D(1, 1, layout="NCHW"),
            AssertionError,
            "Only supports 'NCW' and 'NWC' layout for now",
        ),
        (
            lambda: nn.Conv2DTranspose(1, 1, output_padding=(1,)),
            AssertionError,
            "output_padding must be a number or a list of 2 ints",
        ),
        (
            lambda: nn.Conv2D(1, 1, strides=0),
            ValueError,
            "strides must be whole numbers of at least 1, got 0",
        ),
    ],
)
def test_an_impossible_layer_is_refused(make, error, message):
    with pytest.raises(error, match=message):
        make()


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


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_a_convolution_computes_what_mxnet_computed(name):
    compare(name, lambda x, w, b: nd.Convolution(x, w, b, **CONVOLUTIONS[name]), 3)


def test_a_grouped_convolution_counts_the_inputs_and_outputs_of_one_group():
    layer = nn.Conv2D(12, 3, groups=4, in_channels=8)
    weight = layer.weight
    description = Description("w", "w", weight.shape, "float32", weight.roles)
    assert weight.shape == (12, 2, 3, 3)
    assert (description.fans.fan_in, description.fans.fan_out) == (2 * 9, 3 * 9)
    assert description.shape_fans.fan_out == 12 * 9


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


LAYERS = [
    (lambda: nn.Conv1D(5, 3, strides=2, padding=1), (2, 3, 9)),
    (
        lambda: nn.Conv2D(
            6, (3, 2), strides=(2, 1), padding=(1, 0), dilation=(1, 2), groups=2, activation="relu"
        ),
        (2, 4, 7, 8),
    ),
    (lambda: nn.Conv3D(3, 2), (2, 2, 4, 3, 5)),
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
        make().output_shape(shape)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nn.Conv2D(3, 3, groups=2), r"channels \(3\) .* must be multiples of groups \(2\)"),
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


def test_options_are_read_and_changed_in_kwargs_as_in_mxnet():
    layer = nn.Conv2D(4, (3, 1), strides=2, padding=(1, 0), groups=2, in_channels=2)
    assert layer._op_name == "Convolution"
    assert layer._kwargs == {
        "kernel": (3, 1),
        "stride": (2, 2),
        "dilate": (1, 1),
        "pad": (1, 0),
        "num_filter": 4,
        "num_group": 2,
        "no_bias": False,
        "layout": "NCHW",
    }
    layer.initialize()
    layer._kwargs["stride"] = (1, 1)
    x = nd.ones((1, 2, 6, 6))
    assert layer(x).shape == layer.output_shape(x.shape) == (1, 4, 6, 6)
    transposed = nn.Conv2DTranspose(4, 3, strides=2, output_padding=1)
    assert transposed._op_name == "Deconvolution"
    assert transposed._kwargs["adj"] == transposed.outpad == (1, 1)


def test_a_subclass_calls_the_operator_with_its_options():
    class Standardized(nn.Conv2D):
        def hybrid_forward(self, F, x, weight, bias=None):
            operator = getattr(F, self._op_name)
            return operator(x, weight * 2, bias, name="fwd", **self._kwargs)

    plain, mine = (made(3, 3, padding=1) for made in (nn.Conv2D, Standardized))
    for layer in (plain, mine):
        layer.initialize(init.Constant(0.1))
    x = nd.ones((1, 2, 4, 4))
    assert mine(x).tolist() == (plain(x) * 2).tolist()
    assert mine.weight.shape == (3, 2, 3, 3)


def test_a_subclass_may_have_attributes_of_any_name():
    class Own(nn.Conv2D):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self._kernel = self._stride = self._pad = self._groups = self._layout = "mine"

    layer = Own(3, 3, in_channels=2)
    layer.initialize()
    assert layer(nd.ones((1, 2, 5, 5))).shape == (1, 3, 3, 3)
