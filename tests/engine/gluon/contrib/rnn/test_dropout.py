"""VariationalDropoutCell: one mask for a sequence. `differential.blocks` has MXNet's values."""

from __future__ import annotations

import pytest

from initlab.engine import autograd, init, nd
from initlab.engine.gluon import contrib, rnn


def made(**rates):
    cell = contrib.rnn.VariationalDropoutCell(rnn.RNNCell(6), **rates)
    cell.initialize(init.Constant(0.1))
    return cell


@pytest.mark.parametrize(
    "rates", [{"drop_outputs": 0.5}, {"drop_states": 0.5, "drop_outputs": 0.5}]
)
def test_the_same_outputs_are_dropped_at_every_step(rates):
    cell = made(**rates)
    with autograd.train_mode():
        outputs, _ = cell.unroll(4, nd.ones((3, 4, 5)), merge_outputs=True)
    dropped = (outputs == 0).asnumpy()
    assert dropped.any()
    assert not dropped.all()
    assert (dropped == dropped[:, :1]).all()


def test_masks_are_kept_between_steps_until_reset():
    cell, x = made(drop_inputs=0.5, drop_states=0.5), nd.ones((3, 5))
    with autograd.train_mode():
        states = cell.begin_state(batch_size=3)
        cell(x, states)
        masks = dict(cell._masks)
        cell(x, states)
    assert masks.keys() == {"inputs", "states"}
    assert all(cell._masks[name] is mask for name, mask in masks.items())
    cell.reset()
    assert cell._masks == {}


def test_nothing_is_dropped_in_prediction():
    cell, x = made(drop_inputs=0.5, drop_states=0.5, drop_outputs=0.5), nd.ones((2, 3, 5))
    plain = rnn.RNNCell(6)
    plain.initialize(init.Constant(0.1))
    assert cell.unroll(3, x)[0][-1].tolist() == plain.unroll(3, x)[0][-1].tolist()
    assert repr(cell) == "VariationalDropoutCell(p_out = 0.5, p_state = 0.5)"


def test_states_of_two_directions_are_refused():
    both = rnn.BidirectionalCell(rnn.GRUCell(2), rnn.GRUCell(2))
    with pytest.raises(AssertionError, match="doesn't support variational state dropout"):
        contrib.rnn.VariationalDropoutCell(both, drop_states=0.5)
