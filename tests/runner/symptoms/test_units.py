"""Units that carry nothing."""

from __future__ import annotations

import numpy as np
from observed import chain, reading

from initlab.engine import init, nd


def test_units_with_a_large_negative_bias_are_dead():
    net = chain(2, "relu", "he")
    net(nd.zeros((1, 20)))
    net[0].bias.set_data(nd.array(np.where(np.arange(64) < 60, -100.0, 0.0)))
    place, found = reading("dead-units", net)
    assert found.where == "0" and 0.93 < found.figure < 1 and 1 <= place < 2


def test_half_of_the_units_of_a_relu_layer_may_be_silent():
    assert reading("dead-units", chain(8, "relu", "he"))[0] < 0


def test_a_tanh_at_its_ends_is_saturated():
    place, found = reading("saturated-units", chain(2, "tanh", init.Normal(20.0)))
    assert place >= 1 and found.figure > 0.9
    assert reading("saturated-units", chain(2, "tanh", "lecun"))[0] < 0


def test_equal_weights_make_copies_and_random_ones_do_not():
    place, found = reading("copied-units", chain(2, "tanh", init.Constant(0.05)))
    assert place >= 1 and found.figure == 1
    assert reading("copied-units", chain(2, "tanh", "lecun"))[1].figure == 0


def test_zero_hidden_weights_below_a_random_head_are_no_copies():
    net = chain(1, "tanh", "lecun")
    net(nd.zeros((1, 20)))
    net[0].weight.set_data(nd.zeros((64, 20)))
    assert reading("copied-units", net)[1].figure == 0


def test_units_that_chance_may_have_silenced_are_not_called_dead():
    few = reading("dead-units", chain(8, "relu", "he", width=3), samples=1)
    assert few[0] < 0
    net = chain(2, "relu", "he")
    net(nd.zeros((1, 20)))
    net[0].bias.set_data(nd.full((64,), -100.0))
    assert reading("dead-units", net, samples=2)[0] >= 2
