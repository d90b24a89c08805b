"""Layers: what they compute, the shapes they infer, how they print, and what they refuse."""

from __future__ import annotations

import numpy as np
import pytest

from initlab.engine import autograd, init, nd, streams
from initlab.engine.gluon import nn
from initlab.engine.ops.activation import ACTIVATIONS


@pytest.fixture(autouse=True)
def seeded():
    streams.seed(0)


@pytest.mark.parametrize("flatten", [True, False])
@pytest.mark.parametrize("use_bias", [True, False])
def test_dense_is_a_product_and_a_sum(flatten, use_bias):
    layer = nn.Dense(3, flatten=flatten, use_bias=use_bias, bias_initializer=init.Constant(2))
    layer.initialize(init.Normal(1))
    x = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    y = layer(nd.array(x)).asnumpy()
    rows = x.reshape(2, 12) if flatten else x
    np.testing.assert_allclose(y, rows @ layer.weight.data().asnumpy().T + 2 * use_bias, rtol=1e-5)
    assert layer.output_shape((2, 3, 4)) == y.shape


@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
def test_every_activation_works_alone_and_in_a_dense_layer(name):
    alone, inside = nn.Activation(name), nn.Dense(3, activation=name, in_units=2, prefix="a_")
    plain = nn.Dense(3, in_units=2, prefix="a_")
    for layer in (inside, plain):
        streams.seed(0)
        layer.initialize(init.Normal(1))
    x = nd.array([[1.0, -2.0]])
    assert inside(x).tolist() == alone(plain(x)).tolist()
    assert repr(alone) == f"Activation({name})"
    assert repr(inside) == f"Dense(2 -> 3, Activation({name}))"


def test_dropout_keeps_everything_outside_training_and_the_mean_inside():
    layer = nn.Dropout(0.25)
    x = nd.ones((100, 100))
    assert layer(x).asnumpy().min() == 1
    with autograd.record():
        y = layer(x).asnumpy()
    assert set(np.unique(y)) == {np.float32(0), np.float32(1 / 0.75)}
    assert abs(y.mean() - 1) < 0.02


def test_dropout_along_axes_shares_one_mask():
    with autograd.train_mode():
        y = nn.Dropout(0.5, axes=(0,))(nd.ones((4, 50))).asnumpy()
    assert (y == y[0]).all()
    assert len(np.unique(y)) == 2


def test_functions_are_layers():
    x = nd.array([[-1.0, 2.0]])
    assert nn.Lambda("relu")(x).tolist() == nn.HybridLambda("relu")(x).tolist() == [[0, 2]]
    assert (
        nn.Lambda(lambda x: x * 2)(x).tolist()
        == nn.HybridLambda(lambda F, x: F.broadcast_add(x, x))(x).tolist()
        == [[-2, 4]]
    )
    assert (repr(nn.Lambda("relu")), repr(nn.HybridLambda("tanh"))) == (
        "Lambda(relu)",
        "HybridLambda(tanh)",
    )


def test_flatten_joins_all_axes_but_the_first():
    assert nn.Flatten()(nd.ones((2, 3, 4))).shape == nn.Flatten().output_shape((2, 3, 4)) == (2, 12)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: nn.Dense(2.5), TypeError, "Dense: units must be a whole number, got 2.5"),
        (
            lambda: nn.Dense(2, activation="rulu"),
            ValueError,
            "no activation 'rulu' - did you mean 'relu'",
        ),
        (lambda: nn.Dropout(1.5), ValueError, r"Dropout: rate must lie in \[0, 1\), got 1.5"),
        (
            lambda: nn.Lambda("nosuch"),
            AssertionError,
            "Function name nosuch is not found in ndarray",
        ),
        (
            lambda: nn.HybridLambda(3),
            ValueError,
            "Unrecognized function in lambda: 3 of type <class 'int'>",
        ),
    ],
)
def test_an_impossible_layer_is_refused(make, error, message):
    with pytest.raises(error, match=f"(?i){message}"):
        make()
