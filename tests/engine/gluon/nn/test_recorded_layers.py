"""Each layer as real MXNet 1.9.1 had it: parameters, printed forms, shapes, outputs, gradients,
running statistics.

`mxnet-layer-kinds.json` lists layers with what MXNet said of them, `mxnet-layer-kinds.npz` what it
computed.
"""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import numpy as np
import pytest

from initlab.engine import autograd, init, nd, streams
from initlab.engine.gluon import nn
from initlab.engine.gluon.contrib import nn as contrib
from initlab.engine.ops.activation import SELU_ALPHA, SELU_SCALE

FOLDER = Path(__file__).parents[3] / "vectors"
ARRAYS = np.load(FOLDER / "mxnet-layer-kinds.npz", allow_pickle=False)
ROWS = list(enumerate(json.loads((FOLDER / "mxnet-layer-kinds.json").read_text(encoding="utf-8"))))
COMPUTED = [(i, row) for i, row in ROWS if row["computes"]]


def name_of(value):
    return f"{value['name']}-{value['options']}" if isinstance(value, dict) else None


def every(rows):
    return pytest.mark.parametrize(("number", "row"), rows, ids=name_of)


def make(row, prefix="a_"):
    tuples = lambda value: tuple(value) if isinstance(value, list) else value  # noqa: E731
    place = contrib if row["name"].startswith("contrib.") else nn
    options = {key: tuples(value) for key, value in row["options"].items()}
    options |= {} if "PixelShuffle" in row["name"] else {"prefix": prefix}
    return getattr(place, row["name"].rpartition(".")[2])(*map(tuples, row["args"]), **options)


def filled(number, row):
    """The layer with MXNet's values."""
    layer = make(row)
    layer.infer_shape(tuple(row["input"]))
    layer.initialize()
    for name, parameter in layer.collect_params().items():
        parameter.set_data(nd.array(ARRAYS[f"{number}_p_{name}"]))
    return layer


@pytest.fixture(autouse=True)
def seeded():
    streams.seed(0)


@every(ROWS)
def test_a_new_layer_has_mxnets_parameters_and_printed_form(number, row):
    layer = make(row)
    found = [
        {
            "name": name,
            "shape": list(p.shape),
            "grad_req": p.grad_req,
            "differentiable": p._differentiable,
        }
        for name, p in layer.collect_params().items()
    ]
    assert found == row["parameters"]
    assert repr(layer) == row["repr"]
    assert layer._alias() == row["alias"]


@every(ROWS)
def test_the_inferred_shapes_are_mxnets(number, row):
    layer = make(row)
    shape = layer.infer_shape(tuple(row["input"]))
    assert [list(p.shape) for p in layer.collect_params().values()] == row["shapes_after"]
    assert repr(layer) == row["repr_after"]
    if row["computes"]:
        assert shape == ARRAYS[f"{number}_y"].shape


@every(COMPUTED)
def test_a_layer_computes_what_mxnet_computed(number, row):
    layer, x = filled(number, row), nd.array(ARRAYS[f"{number}_x"])
    np.testing.assert_allclose(
        layer(x).asnumpy(), ARRAYS[f"{number}_predicted"], rtol=1e-5, atol=2e-6
    )
    x.attach_grad()
    with autograd.record():
        y = layer(x)
    y.backward(nd.array(ARRAYS[f"{number}_g"]))
    np.testing.assert_allclose(y.asnumpy(), ARRAYS[f"{number}_y"], rtol=1e-4, atol=2e-6)
    expected = ARRAYS[f"{number}_dx"]
    if (
        row["name"] == "SELU"
    ):  # MXNet's own fault: below 0 its slope is lambda (alpha + y), which is lambda alpha e^x only for lambda = 1
        below, g = ARRAYS[f"{number}_x"] < 0, ARRAYS[f"{number}_g"]
        np.testing.assert_allclose(
            expected[below],
            (g * SELU_SCALE * (SELU_ALPHA + ARRAYS[f"{number}_y"]))[below],
            rtol=1e-5,
        )
        expected = np.where(below, g * (SELU_SCALE * SELU_ALPHA + ARRAYS[f"{number}_y"]), expected)
    np.testing.assert_allclose(x.grad.asnumpy(), expected, rtol=1e-4, atol=1e-5)
    for name, parameter in layer.collect_params().items():
        if parameter.grad_req != "null":
            np.testing.assert_allclose(
                parameter.grad().asnumpy(), ARRAYS[f"{number}_d_{name}"], rtol=1e-4, atol=1e-5
            )
        else:
            np.testing.assert_allclose(
                parameter.data().asnumpy(), ARRAYS[f"{number}_after_{name}"], rtol=1e-5, atol=1e-6
            )


@every(ROWS)
def test_hybridizing_changes_nothing_and_deferred_values_are_the_eager_ones(number, row):
    eager, deferred = make(row), make(row)
    eager.infer_shape(tuple(row["input"]))
    for layer in (eager, deferred):
        streams.seed(3)
        layer.initialize(init.Uniform(0.5))
    x = nd.array(np.random.default_rng(0).normal(size=row["input"]), dtype="float32")
    before = eager(x).asnumpy()
    eager.hybridize(static_alloc=True, static_shape=True, inline_limit=2, forward_bulk_size=1)
    deferred.hybridize()
    np.testing.assert_array_equal(eager(x).asnumpy(), before)
    np.testing.assert_array_equal(deferred(x).asnumpy(), before)
    eager.hybridize(False)
    np.testing.assert_array_equal(eager(x).asnumpy(), before)


@every([(i, row) for i, row in ROWS if row["parameters"]])
def test_no_layer_takes_an_option_it_does_not_know(number, row):
    place = contrib if row["name"].startswith("contrib.") else nn
    with pytest.raises(TypeError, match="unexpected keyword argument 'nosuch'"):
        getattr(place, row["name"].rpartition(".")[2])(*row["args"], nosuch=1)


def test_a_batch_norm_over_several_devices_is_refused_and_an_unsaid_number_warned_of():
    with pytest.raises(
        ValueError, match="num_devices must be 1, since a batch is on one device, got 2"
    ):
        contrib.SyncBatchNorm(num_devices=2)
    with pytest.warns(
        UserWarning,
        match="Caution using SyncBatchNorm: if not using all the GPUs, please mannually set num_devices",
    ):
        contrib.SyncBatchNorm()


def test_running_statistics_move_when_a_training_forward_runs():
    """MXNet moves them when the gradients are computed."""
    layer = nn.BatchNorm(in_channels=1)
    layer.initialize()
    with autograd.record():
        layer(nd.array([[1.0], [3.0]]))
    np.testing.assert_allclose(layer.running_mean.data().asnumpy(), [0.2], rtol=1e-6)


@pytest.mark.parametrize("kind", [contrib.Concurrent, contrib.HybridConcurrent])
def test_concurrent_joins_the_outputs_of_its_children(kind):
    net = kind(axis=1)
    net.add(nn.Dense(2, in_units=3), contrib.Identity(), nn.Dense(1, in_units=3))
    net.initialize(init.Constant(0.5))
    x = nd.array([[1.0, 2.0, 3.0]])
    assert net(x).tolist() == [[3, 3, 1, 2, 3, 3]]
    assert net.infer_shape((1, 3)) == (1, 6)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        net.hybridize()
    assert net(x).tolist() == [[3, 3, 1, 2, 3, 3]]
    assert list(net.structural_params()) == ["0.weight", "0.bias", "2.weight", "2.bias"]


def test_concurrent_refuses_what_cannot_be_joined():
    net = contrib.HybridConcurrent(axis=1, prefix="both_")
    with pytest.raises(Exception, match="both: has no children to join"):
        net.infer_shape((2, 3))
    net.add(nn.Dense(2), nn.Dense(2, flatten=False))
    with pytest.raises(
        Exception,
        match=r"both: child 0 gives shape \(2, 2\), child 1 \(2, 4, 2\): only axis 1 may differ",
    ):
        net.infer_shape((2, 4, 3))


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
        layer.infer_shape(shape)
        layer.initialize(init.Normal(1))
    if options:
        weight = layers[0].weight
        assert weight.roles == tuple(layers[1].weight.roles[a] for a in last)
        layers[1].weight.set_data(weight.data().transpose(first))
    y = layers[0](x)
    assert y.shape == layers[0].infer_shape(x.shape)
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
        (
            lambda p: nn.MaxPool2D(prefix=p),
            (1, 3, 8),
            r"a: MaxPool2D needs an input of 4 axes, NCHW, got shape \(1, 3, 8\)",
        ),
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
        (
            lambda p: nn.PReLU(in_channels=2, prefix=p),
            (2, 3, 2),
            r"a: alpha of shape \(2,\) for 3 channels",
        ),
        (
            lambda p: nn.ReflectionPad2D(3, prefix=p),
            (1, 1, 3, 5),
            r"a: reflection padding \(3, 3\) must be smaller than axis 2 of the input of shape \(1, 1, 3, 5\)",
        ),
        (
            lambda p: contrib.PixelShuffle2D(2),
            (1, 6, 3, 5),
            r"pixelshuffle2d\d+: PixelShuffle2D needs an input of 4 axes whose axis 1 is a multiple of 4, got shape \(1, 6, 3, 5\)",
        ),
    ],
)
def test_an_input_that_does_not_fit_is_refused_and_the_layer_named(make, shape, message):
    net = nn.HybridSequential()
    layer = make("a_")
    net.register_child(layer, "part")
    with pytest.raises(Exception, match=message) as caught:
        net.infer_shape(shape)
    assert caught.value.path == "part"


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (
            lambda: nn.LeakyReLU(-0.1),
            AssertionError,
            "Slope coefficient for LeakyReLU must be no less than 0.",
        ),
        (
            lambda: nn.Conv1D(1, 1, layout="NCHW"),
            AssertionError,
            "Only supports 'NCW' and 'NWC' layout for now",
        ),
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
        (
            lambda: nn.GroupNorm(0),
            ValueError,
            "num_groups must be a whole number of at least 1, got 0",
        ),
        (
            lambda: nn.ReflectionPad2D((1, 2)),
            AssertionError,
            "padding must be a number or 8 of them",
        ),
        (
            lambda: nn.ReflectionPad2D((1, 1, 0, 0, 0, 0, 0, 0)),
            ValueError,
            "0 for the first two axes",
        ),
        (lambda: contrib.PixelShuffle2D((1, 2, 3)), AssertionError, "wrong length 3 of factor"),
        (lambda: contrib.PixelShuffle1D(0), ValueError, "factor must be at least 1, got 0"),
    ],
)
def test_an_impossible_layer_is_refused(make, error, message):
    with pytest.raises(error, match=message):
        make()
