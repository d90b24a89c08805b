"""The initializers that are tried for a network."""

from __future__ import annotations

import pytest
from observed import chain, made, seen_in

from initlab.engine.gluon import nn
from initlab.runner.advice.candidates import BRANCHES, GENERAL, by_gain, candidates_for
from initlab.runner.diagnosis.cure import words_for
from initlab.runner.theory.meanfield import gain


@pytest.mark.parametrize("activation", ["relu", "tanh", "gelu"])
def test_a_chain_is_tried_with_what_theory_gives_for_its_activation(activation):
    found = candidates_for(seen_in(chain(2, activation, "he")))
    assert found[0] == words_for(activation)
    assert set(by_gain(activation)) <= set(found)
    assert set(GENERAL) <= set(found)
    assert not set(BRANCHES) & set(found)


def test_the_three_forms_have_the_gain_of_the_activation():
    normal, uniform, orthogonal = by_gain("relu")
    assert normal == "init=variance_scaling init.scale=2 init.distribution=normal"
    assert uniform == "init=variance_scaling init.scale=2 init.distribution=uniform"
    assert orthogonal == f"init=orthogonal init.scale={gain('relu'):.4g}"
    assert by_gain(None)[2] == "init=orthogonal init.scale=1"


def test_a_residual_network_is_tried_with_the_schemes_for_branches_first():
    blocks = [nn.Residual(nn.Dense(8, activation="relu"), nn.Dense(8)) for _ in range(2)]
    net = made(nn.Dense(8), *blocks, nn.Dense(10))
    assert candidates_for(seen_in(net))[: len(BRANCHES)] == list(BRANCHES)
