"""Scale and Shift: one number for a whole array, against the formula and by finite differences."""

from __future__ import annotations

import directions
import numpy as np
import pytest

from initlab.engine import autograd, init, nd
from initlab.engine.gluon import nn

X = np.random.default_rng(0).normal(size=(2, 3, 4))


def made(layer, dtype="float64"):
    layer.cast(dtype)
    layer.initialize(init.Normal(1))
    return layer


@pytest.mark.parametrize("shape", [(5,), (2, 3), (2, 3, 4, 5)])
@pytest.mark.parametrize(
    ("layer", "wanted"),
    [
        (lambda: nn.Scale(-0.3), lambda x: -0.3 * x),
        (lambda: nn.Scale(-0.3, learnable=True), lambda x: -0.3 * x),
        (
            lambda: nn.Scale(2, learnable=True, scale_initializer=init.Constant(0.7)),
            lambda x: 0.7 * x,
        ),
        (lambda: nn.Shift(), lambda x: x),
        (lambda: nn.Shift(init.Constant(1.5)), lambda x: x + 1.5),
    ],
)
def test_one_number_is_for_the_whole_array(layer, wanted, shape):
    x = np.random.default_rng(1).normal(size=shape)
    block = made(layer())
    y = block(nd.array(x, dtype="float64")).asnumpy()
    np.testing.assert_allclose(y, wanted(x), rtol=1e-6)
    assert block.output_shape(shape) == shape


@pytest.mark.parametrize(
    "layer", [nn.Scale(0.4), nn.Scale(0.4, learnable=True), nn.Shift()], ids=repr
)
def test_the_gradient_by_the_input_is_that_of_finite_differences(layer):
    directions.check(made(layer), X)


def test_a_learned_number_gathers_the_gradient_of_all_elements():
    head = np.random.default_rng(2).normal(size=X.shape)
    scale, shift = made(nn.Scale(0.4, learnable=True)), made(nn.Shift())
    for layer, parameter, wanted in (
        (scale, "scale", (head * X).sum()),
        (shift, "bias", head.sum()),
    ):
        with autograd.record():
            y = layer(nd.array(X, dtype="float64"))
        y.backward(nd.array(head, dtype="float64"))
        assert layer._reg_params[parameter].grad().asnumpy() == pytest.approx([wanted], rel=1e-12)


def test_a_fixed_factor_is_no_parameter_and_a_learned_one_is_drawn_once():
    assert not nn.Scale(2)._reg_params
    assert made(nn.Scale(2, learnable=True)).scale.data().tolist() == [2]
    drawn = made(nn.Scale(2, learnable=True, scale_initializer=None)).scale.data().asnumpy()
    assert drawn.shape == (1,)
    assert drawn[0] != 2


def test_half_precision_stays_half_precision():
    for layer in (nn.Scale(0.5), nn.Scale(0.5, learnable=True), nn.Shift()):
        assert made(layer, "float16")(nd.array(X, dtype="float16")).dtype == np.float16


def test_they_print_what_they_are_and_refuse_a_factor_that_is_no_number():
    assert [repr(nn.Scale(0.5)), repr(nn.Scale(2, True)), repr(nn.Shift())] == [
        "Scale(0.5)",
        "Scale(2, learnable)",
        "Shift()",
    ]
    with pytest.raises(ValueError, match="Scale: factor must be a finite number, got nan"):
        nn.Scale(float("nan"))


@pytest.mark.parametrize("factor", [10**400, float("nan"), float("inf"), "2", True])
def test_a_factor_is_a_finite_number(factor):
    with pytest.raises(ValueError, match="Scale: factor must be a finite number, got "):
        nn.Scale(factor)
