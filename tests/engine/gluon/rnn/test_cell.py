"""Recurrent cells: steps, unrolling, and states."""

from __future__ import annotations

import numpy as np
import pytest

from initlab.engine import init, nd
from initlab.engine.errors import MXNetError
from initlab.engine.gluon import rnn


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (lambda: rnn.GRUCell(3).begin_state(), MXNetError, "give begin_state the batch_size"),
    ],
)
def test_invalid_arguments_are_refused(call, error, said):
    with pytest.raises(error, match=said):
        call()


def test_a_cell_is_unrolled_over_a_list_or_an_array_alike():
    cell = rnn.RNNCell(3, input_size=2)
    cell.initialize(init.Normal(1))
    x = nd.array(np.random.default_rng(0).normal(size=(2, 4, 2)))
    merged, states = cell.unroll(4, x, layout="NTC", merge_outputs=True)
    listed, again = cell.unroll(4, [x[:, i] for i in range(4)], layout="NTC", merge_outputs=False)
    assert merged.shape == (2, 4, 3) and len(listed) == 4
    np.testing.assert_array_equal(merged[:, 3].asnumpy(), listed[3].asnumpy())
    np.testing.assert_array_equal(states[0].asnumpy(), again[0].asnumpy())


def test_a_sequence_of_its_own_length_ends_there():
    cell = rnn.RNNCell(3, input_size=2)
    cell.initialize(init.Normal(1))
    x = nd.array(np.random.default_rng(0).normal(size=(2, 4, 2)))
    length = nd.array([2, 4])
    out, states = cell.unroll(4, x, layout="NTC", merge_outputs=True, valid_length=length)
    short, ended = cell.unroll(2, x[:, :2], layout="NTC", merge_outputs=True)
    assert (out.asnumpy()[0, 2:] == 0).all()
    np.testing.assert_allclose(states[0].asnumpy()[0], ended[0].asnumpy()[0], rtol=1e-6)
