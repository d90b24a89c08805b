"""Cells around cells: dropout, zoneout and residuals."""

from __future__ import annotations

import numpy as np
import pytest

from initlab.engine import autograd, nd, random
from initlab.engine.gluon import rnn


def drawn(*shape: int) -> nd.NDArray:
    return nd.array(np.random.default_rng(0).normal(size=shape))


def test_modified_cells_are_called_by_their_modifiers_only():
    base = rnn.GRUCell(3, input_size=3)
    zone = rnn.ZoneoutCell(base, 0.5, 0.5)
    zone.initialize()
    with pytest.raises(
        AssertionError, match="base cell cannot be called directly. Call the modifier cell instead"
    ):
        base.begin_state(2)
    with pytest.raises(
        AssertionError, match="is already modified. One cell cannot be modified twice"
    ):
        rnn.ResidualCell(base)
    out, _ = zone.unroll(4, drawn(2, 4, 3), merge_outputs=True)
    assert out.shape == (2, 4, 3)
    random.seed(1)
    with autograd.record():
        train, _ = zone.unroll(4, drawn(2, 4, 3), merge_outputs=True)
    kept = train.asnumpy()[:, 1:] == train.asnumpy()[:, :-1]
    assert 0.2 < kept.mean() < 0.8


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (lambda: rnn.DropoutCell("a"), AssertionError, "rate must be a number"),
        (
            lambda: rnn.ZoneoutCell(rnn.BidirectionalCell(rnn.GRUCell(2), rnn.GRUCell(2))),
            AssertionError,
            "doesn't support zoneout",
        ),
    ],
)
def test_invalid_arguments_are_refused(call, error, said):
    with pytest.raises(error, match=said):
        call()
