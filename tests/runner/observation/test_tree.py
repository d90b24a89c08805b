"""Calls as a tree."""

from __future__ import annotations

import pytest
from observed import inputs, made

from initlab.engine import gluon, init, nd
from initlab.engine.gluon import nn
from initlab.runner.errors import ConfigError
from initlab.runner.observation.tree import arrays_in, calls_of, tree_of


def trunk_of(net, x):
    with calls_of(net) as calls:
        net(x)
    return [node.call.path for node in tree_of(calls).trunk()]


class Towers(gluon.Block):
    """Two towers from one input, of which only the first reaches the output, and a side path."""

    def __init__(self):
        super().__init__()
        self.first, self.side, self.second = nn.Dense(4), nn.Dense(4), nn.Dense(3)

    def forward(self, x):
        h = self.first(x)
        self.side(x)
        return self.second(h)


def test_the_way_from_the_input_to_the_output_leaves_out_what_lies_beside_it():
    net = Towers()
    net.initialize(init.Xavier())
    assert trunk_of(net, nd.array(inputs(2, 5))) == ["first", "second"]


def test_a_nested_list_is_a_list_and_a_residual_block_is_one_stage():
    inner = nn.HybridSequential()
    inner.add(nn.Dense(5), nn.Residual(nn.Dense(5)))
    net = made(inner, nn.Dense(2))
    assert trunk_of(net, nd.array(inputs(2, 5))) == ["0.0", "0.1", "1"]


def test_what_a_network_returns_is_searched_for_arrays():
    a, b = nd.zeros((1,)), nd.ones((2,))
    assert [one.shape for one in arrays_in((a, [b, "no"]))] == [(1,), (2,)]
    with pytest.raises(ConfigError, match="must return an array"):
        arrays_in("none")
