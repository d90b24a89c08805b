"""MXNet's module of cells: the functions that code for MXNet imports from it."""

from __future__ import annotations

import pytest

from initlab.engine import nd
from initlab.engine.gluon import rnn
from initlab.engine.gluon.rnn import rnn_cell


def test_every_cell_is_there():
    assert all(getattr(rnn_cell, name) is getattr(rnn, name) for name in rnn_cell.__all__)


@pytest.mark.parametrize(
    ("merge", "in_layout", "wanted"),
    [(None, None, (2, 3, 4)), (False, None, (2, 4)), (None, "TNC", (3, 2, 4))],
)
def test_a_sequence_is_formatted(merge, in_layout, wanted):
    sequence, axis, F, batch = rnn_cell._format_sequence(
        None, nd.ones((2, 3, 4)), "NTC", merge, in_layout
    )
    assert (axis, F) == (1, nd)
    assert batch == (2 if in_layout is None else 3)
    assert (sequence[0] if merge is False else sequence).shape == wanted


def test_states_of_several_cells_are_joined():
    cells = [rnn.LSTMCell(3, input_size=2), rnn.GRUCell(4, input_size=3)]
    assert [info["shape"] for info in rnn_cell._cells_state_info(cells, 2)] == [
        (2, 3),
        (2, 3),
        (2, 4),
    ]
    assert len(rnn_cell._cells_begin_state(cells, batch_size=2)) == 3
    assert rnn_cell._get_begin_state(cells[1], nd, None, nd.ones((2, 3)), 2)[0].shape == (2, 4)


def test_a_sequence_is_masked_and_reversed_within_its_length():
    steps = [nd.array([[n + 1.0], [n + 11.0]]) for n in range(2)]
    length = nd.array([1, 2])
    backward = rnn_cell._reverse_sequences(steps, 2, length)
    assert [step.tolist() for step in backward] == [[[1], [12]], [[2], [11]]]
    masked = rnn_cell._mask_sequence_variable_length(nd, steps, 2, length, 1, True)
    assert masked.tolist() == [[[1], [0]], [[11], [12]]]
