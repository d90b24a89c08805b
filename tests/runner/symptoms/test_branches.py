"""Residual branches against their stream."""

from __future__ import annotations

import pytest
from observed import made, reading

from initlab.engine import init
from initlab.engine.gluon import nn


def blocks(scale, count=16):
    branches = [
        nn.Residual(nn.Dense(20, weight_initializer=init.Normal(scale))) for _ in range(count)
    ]
    return made(*branches, nn.Dense(10))


def test_branches_of_the_size_of_the_stream_are_too_large_for_many_blocks():
    place, found = reading("branch-outweighs-stream", blocks(20**-0.5 * 1.5))
    assert place >= 0 and found.figure == pytest.approx(1.5 * 4, rel=0.25)
    assert found.expected == "about 0.25"


def test_branches_of_one_over_the_root_of_the_depth_are_right():
    place, found = reading("branch-outweighs-stream", blocks(20**-0.5 / 4))
    assert place < 0 and found.figure == pytest.approx(1, rel=0.25)


def test_a_network_without_branches_has_none():
    assert reading("branch-outweighs-stream", made(nn.Dense(10))) is None
