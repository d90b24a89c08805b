"""What theory of wide layers says of the activations on the trunk."""

from __future__ import annotations

import numpy as np
import pytest
from observed import chain, made, seen_in

from initlab.engine import init
from initlab.engine.gluon import nn
from initlab.runner.symptoms.wide import cosine_by_theory, wide_layers
from initlab.runner.theory.meanfield import fixed_point_correlation


def scaled(variance):
    """Return an initializer of this variance over fan_in."""
    return init.Xavier(rnd_type="gaussian", factor_type="in", magnitude=variance)


def test_an_activation_within_a_layer_or_behind_it_is_met_by_the_same_variance():
    inside = made(nn.Dense(64, activation="tanh"), nn.Dense(10), initializer=scaled(2.0))
    behind = made(nn.Dense(64), nn.Activation("tanh"), nn.Dense(10), initializer=scaled(2.0))
    (one,), (other,) = wide_layers(seen_in(inside)), wide_layers(seen_in(behind))
    assert one.variance == pytest.approx(other.variance, rel=0.1)
    assert [one.weights, other.weights] == pytest.approx([2.0, 2.0], rel=0.1)


def test_behind_a_normalization_no_weights_are_named():
    net = made(nn.Dense(64), nn.LayerNorm(), nn.Activation("tanh"), nn.Dense(10))
    (one,) = wide_layers(seen_in(net))
    assert one.weights is None and one.resting is None
    assert one.variance == pytest.approx(1, rel=0.01)


def test_many_equal_layers_end_at_the_fixed_point_of_the_correlation():
    found = wide_layers(seen_in(chain(12, "tanh", scaled(4.0), width=256)))[-1]
    assert found.resting == pytest.approx(fixed_point_correlation("tanh", 4.0), abs=0.05)


def test_what_theory_does_not_know_has_no_cosine():
    known = seen_in(chain(3, "tanh", scaled(1.0)))
    assert cosine_by_theory(known, 0.5) is not None
    norm = made(nn.Dense(20), nn.BatchNorm(), nn.Activation("tanh"), nn.Dense(10))
    stream = made(nn.Dense(20, activation="tanh"), nn.Residual(nn.Dense(20)), nn.Dense(10))
    assert [cosine_by_theory(seen_in(net), 0.5) for net in (norm, stream)] == [None, None]


def test_a_bias_makes_cosines_larger():
    net = chain(1, "tanh", scaled(1.0))
    plain = cosine_by_theory(seen_in(net), 0.2)
    net[0].bias.set_data(np.random.default_rng(0).normal(size=64).astype(np.float32))
    assert cosine_by_theory(seen_in(net), 0.2) > plain + 0.1
