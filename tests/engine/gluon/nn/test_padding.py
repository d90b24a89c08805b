"""Pad2D: NumPy's own padding in its three modes, and convolution without an edge."""

from __future__ import annotations

import directions
import numpy as np
import pytest
import recorded_layers

from initlab.engine import nd
from initlab.engine.errors import MXNetError
from initlab.engine.gluon import nn

X = np.random.default_rng(0).normal(size=(2, 3, 4, 5))


NUMPYS = {"zero": "constant", "reflect": "reflect", "circular": "wrap"}


@pytest.mark.parametrize("width", [0, 1, 3, (0, 2), (3, 0)])
@pytest.mark.parametrize("mode", NUMPYS)
def test_each_mode_is_numpys(mode, width):
    rows, columns = (width, width) if isinstance(width, int) else width
    layer = nn.Pad2D(width, mode)
    y = layer(nd.array(X, dtype="float64")).asnumpy()
    assert np.array_equal(
        y, np.pad(X, ((0, 0), (0, 0), (rows, rows), (columns, columns)), mode=NUMPYS[mode])
    )
    assert layer.output_shape(X.shape) == y.shape
    directions.check(layer, X)


def test_a_circular_convolution_is_the_product_of_fourier_transforms():
    image, kernel = X[:, :1], np.random.default_rng(1).normal(size=(1, 1, 3, 3))
    padded = nn.Pad2D(1, "circular")(nd.array(image, dtype="float64"))
    y = nd.Convolution(
        padded, nd.array(kernel, dtype="float64"), kernel=(3, 3), num_filter=1, no_bias=True
    ).asnumpy()
    around = np.zeros((4, 5))
    for i, j in np.ndindex(3, 3):
        around[(i - 1) % 4, (j - 1) % 5] = kernel[0, 0, i, j]
    wanted = np.fft.ifft2(np.fft.fft2(image) * np.conj(np.fft.fft2(around))).real
    np.testing.assert_allclose(y, wanted, atol=1e-12)


@pytest.mark.parametrize(
    ("layer", "shape", "message"),
    [
        (
            nn.Pad2D((1, 6), "circular"),
            (1, 1, 4, 5),
            r"circular padding of 6 must be at most 5 for axis 3 of the input of shape \(1, 1, 4, 5\)",
        ),
        (nn.Pad2D(4, "reflect"), (1, 1, 4, 5), "reflect padding of 4 must be at most 3 for axis 2"),
        (nn.Pad2D(1), (1, 4, 5), "Pad2D needs an input of 4 axes, NCHW"),
    ],
)
def test_more_than_the_image_has_is_refused_before_and_while_it_is_padded(layer, shape, message):
    with pytest.raises(MXNetError, match=message):
        layer.output_shape(shape)
    with pytest.raises(MXNetError, match=message):
        layer(nd.ones(shape))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nn.Pad2D(-1), "width must be a number of at least 0 or two of them, got -1"),
        (lambda: nn.Pad2D((1, 2, 3)), "width must be a number"),
        (lambda: nn.Pad2D(1, "circul"), "no mode 'circul' - did you mean 'circular'?"),
    ],
)
def test_what_is_no_padding_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_it_prints_its_widths_and_mode():
    assert repr(nn.Pad2D(2, "circular")) == "Pad2D((2, 2), circular)"


@pytest.mark.parametrize(
    ("make", "shape", "message"),
    [
        (
            lambda p: nn.ReflectionPad2D(3, prefix=p),
            (1, 1, 3, 5),
            r"a: reflection padding \(3, 3\) must be smaller than axis 2 of the input of shape \(1, 1, 3, 5\)",
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
            lambda: nn.ReflectionPad2D((1, 2)),
            AssertionError,
            "padding must be a number or 8 of them",
        ),
        (
            lambda: nn.ReflectionPad2D((1, 1, 0, 0, 0, 0, 0, 0)),
            ValueError,
            "0 for the first two axes",
        ),
    ],
)
def test_an_impossible_layer_is_refused(make, error, message):
    with pytest.raises(error, match=message):
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
