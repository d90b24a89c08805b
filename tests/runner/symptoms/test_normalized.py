"""Stages that end in a normalization."""

from __future__ import annotations

from observed import made, seen_in

from initlab.engine.gluon import nn
from initlab.runner.symptoms.normalized import last_normalized, normalized


def test_a_normalization_on_the_trunk_belongs_to_the_stage_before_it():
    net = made(nn.Dense(8), nn.LayerNorm(), nn.Dense(8), nn.Dense(10))
    assert normalized(seen_in(net)) == {"0"} and last_normalized(seen_in(net)) == 0


def test_one_in_a_branch_leaves_the_stream_as_it_is():
    net = made(nn.Dense(8), nn.Residual(nn.LayerNorm(), nn.Dense(8)), nn.Dense(10))
    assert normalized(seen_in(net)) == set() and last_normalized(seen_in(net)) is None


def test_a_block_with_its_own_normalization_at_the_end_counts():
    net = made(nn.Dense(8), nn.Residual(nn.Dense(8)), nn.LayerNorm(), nn.Dense(10))
    assert normalized(seen_in(net)) == {"1"}
