"""Cells on top of each other, and two directions."""

from __future__ import annotations

import numpy as np
import pytest

from initlab.engine import init, nd
from initlab.engine.gluon import rnn


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (
            lambda: rnn.BidirectionalCell(rnn.GRUCell(2), rnn.GRUCell(2))(nd.ones((1, 2)), []),
            NotImplementedError,
            "Please use unroll",
        ),
    ],
)
def test_invalid_arguments_are_refused(call, error, said):
    with pytest.raises(error, match=said):
        call()


def test_a_stack_hands_outputs_up_and_keeps_the_states_of_every_cell():
    stack = rnn.SequentialRNNCell()
    for _ in range(2):
        stack.add(rnn.LSTMCell(3))
    stack.initialize(init.Normal(1))
    states = stack.begin_state(batch_size=2)
    out, after = stack(nd.ones((2, 4)), states)
    below, first = stack[0](nd.ones((2, 4)), states[:2])
    top, second = stack[1](below, states[2:])
    assert (len(stack), len(after)) == (2, 4)
    np.testing.assert_array_equal(out.asnumpy(), top.asnumpy())
    for mine, theirs in zip(after, [*first, *second], strict=True):
        np.testing.assert_array_equal(mine.asnumpy(), theirs.asnumpy())


def test_a_bidirectional_cell_joins_both_directions():
    both = rnn.BidirectionalCell(rnn.GRUCell(2, input_size=3), rnn.GRUCell(2, input_size=3))
    both.initialize(init.Normal(1))
    x = nd.array(np.random.default_rng(0).normal(size=(1, 4, 3)))
    out, _ = both.unroll(4, x, merge_outputs=True)
    back, _ = both._children["r_cell"].unroll(4, x[:, ::-1], merge_outputs=True)
    assert out.shape == (1, 4, 4)
    np.testing.assert_allclose(out.asnumpy()[0, 0, 2:], back.asnumpy()[0, 3], rtol=1e-6)
