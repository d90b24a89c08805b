"""Dictionaries of parameters: collected, shared and tied."""

from __future__ import annotations

import pytest
from small_nets import filled, named, same, values

from initlab.engine import laws, streams
from initlab.engine.gluon import nn
from initlab.engine.streams import Key


@pytest.fixture(autouse=True)
def seeded():
    streams.seed(0)


def test_collect_params_initializes_as_the_block_does():
    first, second = nn.Dense(3, in_units=4, prefix="d_"), nn.Dense(3, in_units=4, prefix="d_")
    first.initialize()
    second.collect_params().initialize()
    assert same(values(first), values(second))
    assert first.weight.key.path == "d_/weight"


def test_a_shared_parameter_is_drawn_once_from_its_owners_stream():
    shared = nn.Dense(4, in_units=4)
    net = nn.HybridSequential()
    net.add(nn.Dense(4, in_units=4), shared, nn.Dense(4, in_units=4, params=shared.params))
    got = filled(net, features=4)
    assert net[2].weight is shared.weight
    assert (
        got["2.weight"].tobytes() == laws.Normal(0, 0.1).draw(Key(0, "1.weight"), (4, 4)).tobytes()
    )


def test_tied_parameters_are_one_and_disagreement_is_refused():
    net = named(a=nn.Dense(4), b=nn.Dense(4), c=nn.Dense(5))
    net._children["b"].tie("weight", net._children["a"].weight)
    assert net._children["b"].weight is net._children["a"].weight
    with pytest.raises(AssertionError, match="Expected shape"):
        net._children["c"].tie("weight", net._children["a"].weight)
    tied = named(a=nn.Dense(4), b=nn.Dense(4))
    tied._children["b"].tie("weight", tied._children["a"].weight)
    got = filled(tied, features=4)
    assert (
        got["b.weight"].tobytes() == laws.Normal(0, 0.1).draw(Key(0, "a.weight"), (4, 4)).tobytes()
    )
