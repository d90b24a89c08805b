"""The operators behind simple layers: what they compute and what they refuse."""

from __future__ import annotations

import numpy as np
import pytest

from initlab.engine import autograd, nd, random, streams
from initlab.engine.errors import MXNetError


@pytest.fixture(autouse=True)
def seeded():
    streams.seed(0)


def test_dropout_drops_only_while_training_and_repeats_with_the_seed():
    x = nd.ones((1000,))
    assert nd.Dropout(x, 0.4).tolist() == x.tolist()
    with autograd.train_mode():
        one = nd.Dropout(x, 0.4).asnumpy()
        random.seed(0)
        two = nd.Dropout(x, 0.4).asnumpy()
        rows = nd.Dropout(nd.ones((50, 8)), 0.5, axes=(1,)).asnumpy()
    assert (one == two).all()
    assert set(np.unique(one)) == {0, np.float32(1 / 0.6)}
    assert 0.3 < (one == 0).mean() < 0.5
    assert all(len(set(row)) == 1 for row in rows)


def test_fully_connected_flattens_what_is_not_a_row_unless_told():
    x, w = nd.ones((2, 3, 4)), nd.ones((5, 12))
    assert nd.FullyConnected(x, w, None, num_hidden=5, no_bias=True).shape == (2, 5)
    kept = nd.FullyConnected(
        x, nd.ones((5, 4)), nd.array([0, 1, 2, 3, 4]), num_hidden=5, flatten=False
    )
    assert kept.shape == (2, 3, 5) and kept[0, 0].tolist() == [4, 5, 6, 7, 8]


def test_an_embedding_takes_rows_and_its_gradient_counts_them():
    w = nd.arange(6).reshape((3, 2))
    w.attach_grad()
    with autograd.record():
        rows = nd.Embedding(nd.array([2, 0, 2]), w, 3, 2)
    rows.backward()
    assert rows.tolist() == [[4, 5], [0, 1], [4, 5]]
    assert w.grad.tolist() == [[1, 1], [0, 0], [2, 2]]


def test_an_activation_is_found_by_its_name():
    assert nd.Activation(nd.array([-1.0, 2.0]), "relu").tolist() == [0, 2]
    with pytest.raises(MXNetError, match="no activation 'tanhh' - did you mean 'tanh'"):
        nd.Activation(nd.array([1.0]), "tanhh")
