"""The initializers that are tried for a network."""

from __future__ import annotations

import pytest
from observed import chain, made, seen_in

from initlab.engine.gluon import HybridBlock, nn
from initlab.runner.advice.candidates import BRANCHES, GENERAL, by_gain, candidates_for
from initlab.runner.diagnosis.cure import words_for
from initlab.runner.theory.meanfield import gain


@pytest.mark.parametrize("activation", ["relu", "tanh", "gelu"])
def test_a_chain_is_tried_with_what_theory_gives_for_its_activation(activation):
    found = candidates_for(seen_in(chain(2, activation, "he")))
    assert found[0] == "init=lsuv"
    assert words_for(activation) in found
    assert set(by_gain(gain(activation))) <= set(found)
    assert set(GENERAL) <= set(found)
    assert not set(BRANCHES) & set(found)


def test_the_three_forms_have_the_gain_of_the_activation():
    normal, uniform, orthogonal = by_gain(gain("relu"))
    assert normal == "init=variance_scaling init.scale=2 init.distribution=normal"
    assert uniform == "init=variance_scaling init.scale=2 init.distribution=uniform"
    assert orthogonal == f"init=orthogonal init.scale={gain('relu'):.4g}"
    assert by_gain(1.0)[2] == "init=orthogonal init.scale=1"


class Cube(HybridBlock):
    """An activation that the engine has no name for."""

    def hybrid_forward(self, F, x):
        return x * x * x

    def output_shape(self, shape):
        return shape


def test_the_gain_of_an_activation_of_ones_own_comes_from_quadrature():
    net = made(nn.Dense(16), Cube(), nn.Dense(16), Cube(), nn.Dense(10))
    found = candidates_for(seen_in(net))
    assert set(by_gain(15**-0.5)) <= set(found)  # E[z^6] = 15
    assert "init=variance_scaling init.scale=0.06667 init.distribution=normal" in found


def test_a_rectifier_with_a_slope_of_its_own_has_the_gain_of_that_slope():
    net = made(nn.Dense(16), nn.LeakyReLU(0.5), nn.Dense(10))
    assert set(by_gain((1.25 / 2) ** -0.5)) <= set(candidates_for(seen_in(net)))


def test_a_residual_network_is_tried_with_the_schemes_for_branches_too():
    blocks = [nn.Residual(nn.Dense(8, activation="relu"), nn.Dense(8)) for _ in range(2)]
    net = made(nn.Dense(8), *blocks, nn.Dense(10))
    found = candidates_for(seen_in(net))
    assert found[0] == "init=lsuv"
    assert set(BRANCHES) <= set(found)


def in_time(F, x):
    """20 numbers as five vectors of 4."""
    return F.reshape(x, shape=(-1, 5, 4))


def test_a_transformer_is_tried_with_the_schemes_for_branches_first():
    net = made(nn.HybridLambda(in_time), nn.TransformerBlock(4, 2), nn.Flatten(), nn.Dense(10))
    assert candidates_for(seen_in(net))[: len(BRANCHES)] == list(BRANCHES)


@pytest.mark.parametrize(
    ("activation", "first"),
    [("relu", "init=orthogonal init.scale=1.414"), ("tanh", "init=orthogonal")],
)
def test_a_long_row_without_shortcuts_is_tried_with_orthogonal_matrices_first(activation, first):
    assert candidates_for(seen_in(chain(23, activation, "he")))[0] != first
    assert candidates_for(seen_in(chain(24, activation, "he")))[0] == first
