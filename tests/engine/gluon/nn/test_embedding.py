"""Embedding: what MXNet 1.9.1 computed, shapes, and what is refused."""

from __future__ import annotations

import pytest

from initlab.engine import init, nd, streams
from initlab.engine.gluon import nn


@pytest.fixture(autouse=True)
def seeded():
    streams.seed(0)


LAYERS = [
    (lambda: nn.Embedding(7, 5), (2, 3)),
]


@pytest.mark.parametrize(("make", "shape"), LAYERS, ids=[repr(make()) for make, _ in LAYERS])
def test_the_inferred_shape_is_the_computed_one(make, shape):
    layer = make()
    inferred = layer.output_shape(shape)
    fresh = make()
    fresh.initialize(init.Normal(0.1))
    assert fresh(nd.ones(shape)).shape == inferred
    assert {k.rsplit("_", 1)[-1]: p.shape for k, p in layer.params.items()} == {
        k.rsplit("_", 1)[-1]: p.shape for k, p in fresh.params.items()
    }
