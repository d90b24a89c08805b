"""The signal on its way to the output."""

from __future__ import annotations

import pytest
from observed import chain, made, reading

from initlab.engine import init
from initlab.engine.gluon import nn


@pytest.mark.parametrize(
    "symptom, initializer",
    [
        ("signal-vanishes", init.Normal(0.01)),
        ("signal-explodes", init.Normal(1.0)),
        ("inputs-alike", init.Constant(0.1)),
    ],
)
def test_a_deep_network_with_wrong_weights_is_fatal_and_with_he_it_is_not(symptom, initializer):
    place, _ = reading(symptom, chain(8, "relu", initializer))
    assert place >= 2
    place, _ = reading(symptom, chain(8, "relu", "he"))
    assert place < 1


def test_the_factor_a_block_and_the_blocks_to_the_end_of_the_dtype_are_said():
    _, found = reading("signal-vanishes", chain(8, "relu", init.Normal(0.01)))
    assert "times the input's, a factor of 0.05" in found.measured
    assert "float32 reaches 0 after about" in found.measured


def test_one_block_is_said_in_the_singular():
    _, found = reading("signal-vanishes", chain(1, "relu", "he"))
    assert "after 1 block," in found.measured


def test_six_residual_blocks_of_zero_leave_the_signal_as_it_is():
    blocks = [nn.Residual(nn.Dense(20)) for _ in range(6)]
    net = made(*blocks, nn.Dense(10), initializer=init.Zero())
    for symptom in ("signal-vanishes", "signal-explodes"):
        _, found = reading(symptom, net)
        assert found.figure == pytest.approx(1)


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_a_layer_of_one_unit_makes_no_inputs_alike(activation):
    net = made(
        nn.Dense(32, activation=activation), nn.Dense(1, activation=activation), nn.Dense(10)
    )
    found = reading("inputs-alike", net)
    assert found is None or found[0] < 0
