"""Recurrent cells: roles of their weights, and how they print."""

from __future__ import annotations

from initlab.engine.gluon import rnn


def test_fans_count_one_gate():
    assert rnn.LSTM(3, input_size=4).l0_i2h_weight.roles == ("out*4", "in")
    assert rnn.GRUCell(3).h2h_weight.roles == ("out*3", "in")
    assert rnn.LSTM(4, projection_size=2).l0_h2r_weight.roles == ("out", "in")


def test_prints():
    assert repr(rnn.LSTM(3)) == "LSTM(None -> 3, TNC)"
    assert (
        repr(rnn.GRU(3, 2, "NTC", 0.5, True, input_size=4))
        == "GRU(4 -> 3, NTC, num_layers=2, dropout=0.5, bidirectional)"
    )
    assert repr(rnn.RNNCell(3, input_size=2)) == "RNNCell(2 -> 3, tanh)"
    both = rnn.BidirectionalCell(rnn.LSTMCell(2), rnn.LSTMCell(2))
    assert (
        repr(both) == "BidirectionalCell(forward=LSTMCell(None -> 8), backward=LSTMCell(None -> 8))"
    )
    assert (
        repr(rnn.ZoneoutCell(rnn.GRUCell(2), 0.1))
        == "ZoneoutCell(p_out=0.1, p_state=0.0, GRUCell(None -> 6))"
    )
    assert "dtype=<class 'numpy.float32'>" in repr(rnn.GRUCell(2).i2h_weight)
    stack = rnn.SequentialRNNCell()
    stack.add(rnn.DropoutCell(0.5))
    assert repr(stack) == "SequentialRNNCell(\n(0): DropoutCell(rate=0.5, axes=())\n)"
