"""The states that recurrent blocks begin with, and sequences as arrays or lists."""

from __future__ import annotations

from initlab.engine import nd
from initlab.engine.gluon import rnn


def test_initial_states_come_from_the_given_function():
    cell = rnn.LSTMCell(3)
    assert [s.asnumpy().tolist() for s in cell.begin_state(1, nd.ones)] == [[[1, 1, 1]]] * 2
    seen = []

    def made(name, shape, **options):
        seen.append((name.removeprefix(cell.prefix), sorted(options)))
        return nd.zeros(shape)

    cell.reset()
    cell.begin_state(2, made)
    assert seen == [("begin_state_0", ["__layout__"]), ("begin_state_1", ["__layout__"])]
    assert [s.dtype.__name__ for s in rnn.GRU(3).begin_state(2, dtype="float16")] == ["float16"]
