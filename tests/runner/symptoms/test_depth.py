"""Depth without shortcuts."""

from __future__ import annotations

from observed import chain, made, reading

from initlab.engine import gluon, nd
from initlab.engine.gluon import nn


def test_many_dense_blocks_in_a_row_are_odd_and_never_more():
    place, found = reading("plain-depth", chain(40, "relu", "he", width=8))
    assert found.figure == 40 and 0 <= place < 1
    assert reading("plain-depth", chain(8, "relu", "he"))[0] < 0


def test_residual_blocks_end_a_row():
    blocks = [nn.Residual(nn.Dense(20)) for _ in range(30)]
    assert reading("plain-depth", made(nn.Dense(20), *blocks, nn.Dense(10)))[1].figure == 1


def test_blocks_of_a_class_that_adds_nothing_go_on_with_a_row():
    class Plain(gluon.Block):
        def __init__(self):
            super().__init__()
            self.dense = nn.Dense(8)

        def forward(self, x):
            return nd.relu(self.dense(x))

    net = nn.Sequential()
    net.add(*[Plain() for _ in range(30)], nn.Dense(10))
    net.initialize()
    place, found = reading("plain-depth", net)
    assert found.figure == 30 and place >= 0
