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
from initlab.runner.theory.meanfield import relu_correlation_after


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


def test_the_variance_that_keeps_the_signal_is_said_where_the_activation_is_known():
    _, found = reading("signal-vanishes", chain(8, "relu", init.Normal(0.01)))
    assert "2 / fan_in in front of relu keeps it" in found.expected
    assert "/ fan_in" not in reading("signal-vanishes", chain(8, "relu", "he"))[1].expected


def test_what_depth_alone_does_to_a_cosine_is_said_beside_a_rank_collapse():
    """Equal weights are alike at once; by the map of relu independent ones are far from it."""
    _, found = reading("inputs-alike", chain(3, "relu", init.Constant(0.1)))
    left = float(found.expected.rpartition("leave ")[2])
    assert left == pytest.approx(relu_correlation_after(inputs_cosine(), 3), abs=0.02)


def inputs_cosine():
    """Return the mean cosine of the inputs of `seen_in`."""
    x = inputs(32, 20).astype(np.float64)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    return (np.square(x.sum(0)).sum() - len(x)) / (len(x) * (len(x) - 1))


def test_the_cosine_that_theory_leaves_is_that_of_a_wide_network():
    """Where depth alone makes inputs alike, what is measured is what the map says."""
    net = chain(40, "relu", "he", width=512)
    _, found = reading("inputs-alike", net)
    measured = float(found.measured.split()[4])
    left = float(found.expected.rpartition("leave ")[2])
    assert left == pytest.approx(measured, abs=0.01)


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
