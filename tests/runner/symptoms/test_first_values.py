"""Layers whose first values say little: what they hide is seen through. docs/diagnosis.md says how such
networks train.
"""

from __future__ import annotations

import numpy as np
import pytest
from observed import chain, made, seen_in

from initlab.engine import init, nd
from initlab.engine.gluon import nn
from initlab.runner.diagnosis.diagnose import diagnosis_of
from initlab.runner.symptoms.first_values import leaving_zero, parting


def with_layer(activation, number, initializer, depth=2):
    """Return a chain that trains, but for one layer."""
    net = chain(depth, activation, "xavier" if activation == "tanh" else "he")
    net(nd.zeros((1, 20)))
    net[number].weight.initialize(initializer, force_reinit=True)
    return net


def found_in(net):
    found = diagnosis_of(seen_in(net))
    return {one.id: one.severity for one in found.findings}


@pytest.mark.parametrize(
    "activation, drawn",
    [("tanh", init.Zero()), ("tanh", init.Normal(1e-5)), ("relu", init.Normal(1e-4))],
)
def test_a_layer_next_to_zero_between_good_ones_is_seen_through(activation, drawn):
    assert set(found_in(with_layer(activation, 1, drawn)).values()) <= {"odd"}
    assert set(found_in(with_layer(activation, 1, drawn, depth=4)).values()) <= {"odd"}


def test_a_first_layer_of_zeros_with_biases_is_seen_through():
    net = with_layer("tanh", 0, init.Zero())
    net[0].bias.set_data(nd.array(np.full(64, 0.1, np.float32)))
    assert set(found_in(net).values()) <= {"odd"}


def test_a_layer_of_zeros_in_front_of_relu_passes_no_gradient_and_is_fatal():
    assert found_in(with_layer("relu", 1, init.Zero()))["no-gradient"] == "fatal"


def test_two_layers_of_zeros_never_move_and_are_fatal():
    net = with_layer("tanh", 1, init.Zero(), depth=3)
    net[2].weight.initialize(init.Zero(), force_reinit=True)
    assert "fatal" in found_in(net).values()


@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_many_layers_next_to_zero_are_fatal(activation):
    assert found_in(chain(6, activation, init.Normal(1e-4)))["signal-vanishes"] == "fatal"


def test_equal_units_that_the_gradient_tells_apart_are_seen_through():
    drawn = init.Constant(0.1)
    assert "inputs-alike" not in found_in(with_layer("relu", 0, drawn, depth=1))
    assert found_in(with_layer("relu", 0, drawn)).get("inputs-alike") in (None, "odd")


def test_units_that_are_nearly_equal_are_seen_through():
    net = with_layer("relu", 0, init.Constant(0.1), depth=1)
    noise = np.random.default_rng(0).normal(size=(64, 20)).astype(np.float32)
    net[0].weight.set_data(nd.array(0.1 + 0.001 * noise))
    assert "inputs-alike" not in found_in(net)


@pytest.mark.parametrize("initializer", [init.Constant(0.1), init.One()])
def test_equal_units_with_equal_gradients_are_fatal(initializer):
    assert found_in(chain(1, "relu", initializer))["inputs-alike"] == "fatal"


def test_units_of_a_good_network_are_neither():
    seen = seen_in(chain(3, "relu", "he"))
    assert leaving_zero(seen) == set()
    assert not any(map(parting, seen.hidden))


def test_a_weight_next_to_zero_does_not_overshoot():
    assert "overshoots" not in found_in(with_layer("tanh", 1, init.Normal(1e-5)))


def test_a_table_next_to_zero_in_front_of_a_normalization_neither_explodes_nor_is_forecast():
    net = made(
        nn.Dense(32), *[nn.Residual(nn.LayerNorm(), nn.Dense(32)) for _ in range(4)], nn.LayerNorm()
    )
    net.add(nn.Dense(10))
    net.initialize(init.Normal(0.003), force_reinit=True)
    found = {one.id: one for one in diagnosis_of(seen_in(net)).findings}
    assert not found.keys() & {"signal-explodes", "gradient-explodes", "signal-vanishes"}


def test_a_signal_is_measured_from_the_last_normalization_on():
    layers = [nn.Dense(64), nn.LayerNorm(), *[nn.Dense(64, activation="relu") for _ in range(4)]]
    net = made(*layers, nn.Dense(10), initializer=init.Normal(0.02))
    (found,) = (one for one in diagnosis_of(seen_in(net)).findings if one.id == "signal-vanishes")
    assert "times the normalization's, a factor of 0.1" in found.measured
