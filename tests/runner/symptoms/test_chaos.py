"""Close inputs that become unlike with depth."""

from __future__ import annotations

import math

import numpy as np
import pytest
from observed import chain, inputs, made, reading, seen_in

from initlab.engine import init, nd
from initlab.engine.gluon import nn
from initlab.runner.declare import declare
from initlab.runner.symptoms import Examined
from initlab.runner.symptoms.chaos import InputsChaotic


def scaled(variance):
    """Return an initializer of this variance over fan_in."""
    return init.Xavier(rnd_type="gaussian", factor_type="in", magnitude=variance)


def test_deep_tanh_far_above_the_edge_of_chaos_is_harmful_and_on_it_not_odd():
    place, found = reading("inputs-chaotic", chain(16, "tanh", scaled(9.0)))
    assert 1 <= place < 2
    assert "16 blocks" in found.measured and "at 1 / fan_in angles are kept" in found.expected
    place, _ = reading("inputs-chaotic", chain(16, "tanh", scaled(1.0)))
    assert place < 0


@pytest.mark.parametrize("variance", [0.1, 2.0, 50.0])
def test_relu_keeps_small_angles_whatever_its_weights(variance):
    """A rectifier's correlation map has slope 1 at 1: it is never chaotic."""
    _, found = reading("inputs-chaotic", chain(16, "relu", scaled(variance)))
    assert found.figure == pytest.approx(1)


@pytest.mark.parametrize("variance", [0.5, 2.0, 4.0])
def test_the_growth_is_that_of_two_inputs_a_small_step_apart(variance):
    """The figure is a closed form of measured variances; here a pair of close inputs is sent through."""
    net = chain(6, "tanh", scaled(variance), width=512)
    _, found = reading("inputs-chaotic", net)
    x, step = inputs(64, 20).astype(np.float64), 1e-3 * inputs(64, 20, seed=1)
    pair = [nd.array(x, dtype="float32"), nd.array(x + step, dtype="float32")]

    def angle(one, other):
        a, b = (np.asarray(v.asnumpy(), np.float64) for v in (one, other))
        a, b = (v / np.linalg.norm(v, axis=1, keepdims=True) for v in (a, b))
        return math.sqrt(np.square(a - b).sum(1).mean())

    before = angle(*pair)
    for layer in list(net)[:-1]:
        pair = [layer(one) for one in pair]
    assert angle(*pair) / before == pytest.approx(found.figure, rel=0.15)


def test_a_normalization_sets_the_variance_that_an_activation_meets():
    layers = [
        layer for _ in range(32) for layer in (nn.Dense(64), nn.LayerNorm(), nn.Activation("tanh"))
    ]
    net = made(*layers, nn.Dense(10), initializer=scaled(0.01))
    place, found = reading("inputs-chaotic", net)
    assert 0 <= place < 1
    assert "a smaller variance than 1 in front of tanh" in found.expected


def test_one_steep_block_is_no_chaos_with_depth():
    place, _ = reading("inputs-chaotic", chain(2, "tanh", scaled(1e6)))
    assert place < 0


def test_branches_of_residual_blocks_are_not_counted():
    blocks = [nn.Residual(nn.Dense(20, activation="tanh")) for _ in range(32)]
    net = made(*blocks, nn.Dense(10), initializer=scaled(9.0))
    assert list(InputsChaotic().readings(Examined(seen_in(net)))) == []


def test_a_chaotic_network_is_diagnosed_from_its_words():
    tanh = "model.layers.0.activation=tanh model.layers.1.layers.0.activation=tanh"
    words = f"model=deep_mlp {tanh} init=normal init.sigma=0.3"
    first, *_ = declare(*words.split()).diagnose().findings
    assert (first.id, first.severity) == ("inputs-chaotic", "harmful")
    assert "all cosines go to 0," in first.expected
