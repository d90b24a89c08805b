"""Tables of tokens and positions, and a shared head."""

from __future__ import annotations

import numpy as np
import pytest
from observed import subject_of

from initlab.engine import gluon, init, nd
from initlab.engine.gluon import nn
from initlab.runner.diagnosis.diagnose import diagnosis_of
from initlab.runner.observation.passes import observe
from initlab.runner.symptoms import REGISTRY, Examined

TOKENS = np.random.default_rng(0).integers(0, 40, (16, 8))


class LanguageModel(gluon.Block):
    """Tokens, positions, one block of attention, and a head that may share the table of tokens."""

    def __init__(self, tied=True):
        super().__init__()
        self.tokens, self.positions = nn.Embedding(40, 32), nn.PositionEmbedding(8, 32)
        self.block, self.norm = nn.TransformerBlock(32, 2), nn.LayerNorm()
        shared = {"params": self.tokens.params} if tied else {}
        self.head = nn.Dense(40, use_bias=False, flatten=False, in_units=32, **shared)

    def forward(self, x):
        return self.head(self.norm(self.block(self.positions(self.tokens(x)))))


def seen_in(tokens, positions, tied):
    net = LanguageModel(tied)
    net.initialize(init.Normal(0.02))
    net(nd.array(TOKENS, dtype="int32"))
    net.tokens.weight.set_data(net.tokens.weight.data() * tokens)
    net.positions.weight.set_data(net.positions.weight.data() * positions)
    return observe(subject_of(net, TOKENS, TOKENS % 40))


def place(symptom, seen):
    found = list(REGISTRY.get(symptom)().readings(Examined(seen)))
    return found[0] if found else None


@pytest.mark.parametrize("tied", [True, False])
def test_large_positions_drown_tokens_and_nothing_else_is_said_of_their_angle(tied):
    seen = seen_in(1, 100, tied)
    at, found = place("positions-drown-tokens", seen)
    assert at >= 1 and found.where == "positions.weight"
    assert "times that of the tokens" in found.measured
    assert "inputs-alike" not in {one.id for one in diagnosis_of(seen).findings}


@pytest.mark.parametrize("tokens, positions", [(1, 1), (1, 10), (1e-3, 1)])
def test_small_positions_hurt_nothing_even_if_tokens_are_smaller(tokens, positions):
    seen = seen_in(tokens, positions, True)
    assert place("positions-drown-tokens", seen)[0] < 0
    assert not {"inputs-alike", "signal-explodes", "signal-vanishes"} & {
        one.id for one in diagnosis_of(seen).findings
    }


def test_the_table_of_a_tied_head_may_be_too_large_for_scores():
    at, found = place("tied-head", seen_in(1000, 1, True))
    assert at >= 1 and found.where == "tokens.weight" and "scores have rms" in found.measured
    assert place("tied-head", seen_in(1, 1, True))[0] < 0
    assert place("tied-head", seen_in(1000, 1, False)) is None


@pytest.mark.parametrize("tokens, severity", [(1, None), (250, "odd"), (1000, "harmful")])
def test_large_tokens_drown_what_normalized_branches_add(tokens, severity):
    at, found = place("tokens-drown-blocks", seen_in(tokens, 1, False))
    assert found.where == "tokens.weight"
    assert severity == (None if at < 0 else "odd" if at < 1 else "harmful")


def test_a_normalization_after_the_addition_takes_the_size_away():
    net = nn.HybridSequential()
    net.add(nn.Embedding(40, 32), nn.TransformerBlock(32, 2, pre_norm=False))
    net.add(nn.Dense(40, flatten=False, in_units=32))
    net.initialize(init.Normal(20.0))
    net(nd.array(TOKENS, dtype="int32"))
    assert place("tokens-drown-blocks", observe(subject_of(net, TOKENS, TOKENS % 40))) is None


class TwoTables(LanguageModel):
    """A second embedding for the positions, as most code in Python has it."""

    def __init__(self):
        super().__init__()
        self.places = nn.Embedding(8, 32)

    def forward(self, x):
        places = self.places(nd.arange(x.shape[1], dtype="int32"))
        return self.head(self.norm(self.block(self.tokens(x) + places)))


@pytest.mark.parametrize("positions, drowned", [(1, False), (100, True)])
def test_positions_of_a_second_embedding_drown_tokens_too(positions, drowned):
    net = TwoTables()
    net.initialize(init.Normal(0.02))
    net(nd.array(TOKENS, dtype="int32"))
    net.places.weight.set_data(net.places.weight.data() * positions)
    at, found = place("positions-drown-tokens", observe(subject_of(net, TOKENS, TOKENS % 40)))
    assert found.where == "places.weight" and (at >= 1) == drowned
