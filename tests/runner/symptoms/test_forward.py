"""The signal on its way to the output."""

from __future__ import annotations

import numpy as np
import pytest
from observed import chain, inputs, made, reading, subject_of

from initlab.engine import init
from initlab.engine.gluon import nn, rnn
from initlab.runner.declare import declare
from initlab.runner.observation.passes import observe
from initlab.runner.symptoms import REGISTRY, Examined


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
    assert "after 1 block in" in found.measured


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


def test_two_samples_that_differ_in_size_make_no_signal_harmful():
    """The severity is that of a figure nearer to 1 by two standard errors."""
    net = made(nn.Dense(64, activation="relu"), nn.Dense(10), batch=inputs(2, 20))
    net[0].weight.set_data(net[0].weight.data() * 0.02)
    x = inputs(2, 20) * np.array([[0.2], [2.0]], np.float32)
    signal = REGISTRY.get("signal-vanishes")()
    ((place, found),) = signal.readings(Examined(observe(subject_of(net, x, np.array([0, 1])))))
    assert found.error > 0 and "in 2 samples" in found.measured
    assert place == pytest.approx(signal.scale.place(found.figure))
    assert found.figure > 2 * found.error


def test_the_gates_of_an_lstm_are_no_loss():
    """An LSTM's output is gate times tanh, so a quarter of what enters: no initializer changes that."""
    x = inputs(8, 5, 16)
    net = made(rnn.LSTM(16, layout="NTC"), nn.Dense(4), initializer=init.Xavier(), batch=x)
    signal = REGISTRY.get("signal-vanishes")()
    ((_, found),) = signal.readings(Examined(observe(subject_of(net, x, np.arange(8) % 4))))
    assert "with open gates" in found.measured
    first = observe(subject_of(net, x, np.arange(8) % 4)).trunk[0].signal.rms
    assert found.figure > 3.9 * first / np.sqrt(np.square(x).mean())


def test_the_gates_of_a_declared_lstm_are_no_loss():
    found = declare("model=lstm_lm", "data=text", "init=lm_uniform").diagnose().findings
    assert not {one.id for one in found} & {"gradient-vanishes", "signal-vanishes"}
