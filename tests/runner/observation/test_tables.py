"""Sums of token vectors and position vectors, however a network makes them."""

from __future__ import annotations

import numpy as np
import pytest
from observed import subject_of

from initlab.engine import gluon, init, nd
from initlab.engine.gluon import nn
from initlab.runner.observation.passes import observe
from initlab.runner.observation.tables import Placed

TOKENS = np.random.default_rng(0).integers(0, 40, (16, 8))


class Base(gluon.Block):
    """Tokens, something for the positions, and a head."""

    def __init__(self):
        super().__init__()
        self.tokens, self.head = nn.Embedding(40, 32), nn.Dense(40, flatten=False)
        self.places()

    def places(self):
        """Make the table of the positions."""
        self.positions = nn.Embedding(8, 32)

    def forward(self, x):
        return self.head(self.sum(self.tokens(x), x))


class ByLayer(Base):
    def places(self):
        self.positions = nn.PositionEmbedding(8, 32)

    def sum(self, tokens, x):
        return self.positions(tokens)


class ByEmbedding(Base):
    def sum(self, tokens, x):
        return tokens + self.positions(nd.arange(x.shape[1], dtype="int32"))


class ByEmbeddingOfEachSample(Base):
    def sum(self, tokens, x):
        places = nd.broadcast_to(nd.arange(x.shape[1]).reshape((1, -1)), shape=x.shape)
        return self.positions(places) + tokens


class WithAFactor(Base):
    def sum(self, tokens, x):
        return tokens * 2 + self.positions(nd.arange(x.shape[1], dtype="int32")) * 0.5


class Normalized(Base):
    def places(self):
        super().places()
        self.norm = nn.LayerNorm()

    def sum(self, tokens, x):
        return self.norm(tokens + self.positions(nd.arange(x.shape[1], dtype="int32")))


class ByParameter(Base):
    def places(self):
        self.positions = self.params.get("positions", shape=(1, 8, 32))

    def sum(self, tokens, x):
        return tokens + self.positions.data()


class Alone(Base):
    def sum(self, tokens, x):
        return tokens


class OfTwoFeatures(Base):
    def places(self):
        self.segments = nn.Embedding(40, 32)

    def sum(self, tokens, x):
        return tokens + self.segments(x)


def placed_of(kind, size=3.0):
    net = kind()
    net.initialize(init.Normal(0.02))
    net(nd.array(TOKENS, dtype="int32"))
    for name, parameter in net.structural_params().items():
        if name.startswith("positions"):
            parameter.set_data(parameter.data() * size / 0.02)
    return observe(subject_of(net, TOKENS, TOKENS % 40)).placed


@pytest.mark.parametrize(
    "kind, table, factor",
    [
        (ByLayer, "positions.weight", 1),
        (ByEmbedding, "positions.weight", 1),
        (ByEmbeddingOfEachSample, "positions.weight", 1),
        (Normalized, "positions.weight", 1),
        (ByParameter, "positions", 1),
        (WithAFactor, "positions.weight", 0.5),
    ],
)
def test_positions_are_found_however_they_are_added(kind, table, factor):
    (found,) = placed_of(kind)
    assert isinstance(found, Placed)
    assert (found.tokens, found.positions) == ("tokens.weight", table)
    assert found.position_rms == pytest.approx(3 * factor, rel=0.1)
    assert found.token_rms == pytest.approx(0.02 * (2 if factor != 1 else 1), rel=0.1)


@pytest.mark.parametrize("kind", [Alone, OfTwoFeatures])
def test_where_nothing_is_added_for_positions_there_is_no_sum(kind):
    assert placed_of(kind) == []
