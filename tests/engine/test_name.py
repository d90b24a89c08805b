"""The module `name`: managers of names, as MXNet 1.9.1 has them."""

from __future__ import annotations

import initlab.engine as mx
from initlab.engine import naming
from initlab.engine.gluon import nn


def test_a_manager_counts_each_hint_and_keeps_a_name_that_is_given():
    manager = mx.name.NameManager()
    assert [manager.get("x", "h"), manager.get(None, "h"), manager.get(None, "h")] == [
        "x",
        "h0",
        "h1",
    ]


def test_a_prefix_stands_before_the_names_of_blocks_outside_any_block():
    with mx.name.Prefix("a_"):
        assert [nn.Dense(3).prefix, nn.Dense(3).prefix] == ["a_dense0_", "a_dense1_"]
        net = nn.Sequential()
        with net.name_scope():
            assert nn.Dense(3).prefix == "a_sequential0_dense0_"
    with naming.kept():
        assert nn.Dense(3).prefix == "dense0_"


def test_a_subclass_names_blocks():
    class Greek(mx.name.NameManager):
        def get(self, name, hint):
            return "alpha"

    with Greek():
        assert nn.Dense(3).prefix == "alpha_"
