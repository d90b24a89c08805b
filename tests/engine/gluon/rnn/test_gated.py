"""Recurrent cells: roles of their weights, and how they print."""

from __future__ import annotations

import pytest

from initlab.engine import init, nd
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


class Doubled(rnn.LSTMCell):
    """What code for MXNet writes: the weights by name, handed on by position."""

    def hybrid_forward(self, F, inputs, states, i2h_weight, h2h_weight, i2h_bias, h2h_bias):
        output, states = super().hybrid_forward(
            F, inputs, states, i2h_weight, h2h_weight, i2h_bias, h2h_bias
        )
        return output * 2, states


class Spelled(rnn.RNNCell):
    """An Elman cell written out with MXNet's helper and names of nodes."""

    def hybrid_forward(self, F, inputs, states, i2h_weight, h2h_weight, i2h_bias, h2h_bias):
        prefix, size = f"t{self._counter}_", self._hidden_size
        i2h = F.FullyConnected(
            data=inputs, weight=i2h_weight, bias=i2h_bias, num_hidden=size, name=prefix + "i2h"
        )
        h2h = F.FullyConnected(
            data=states[0], weight=h2h_weight, bias=h2h_bias, num_hidden=size, name=prefix + "h2h"
        )
        total = F.elemwise_add(i2h, h2h, name=prefix + "plus0")
        output = self._get_activation(F, total, self._activation, name=prefix + "out")
        return output, [output]


class Named(rnn.GRUCell):
    def hybrid_forward(self, F, inputs, states, **weights):
        return super().hybrid_forward(F, inputs, states, **weights)


@pytest.mark.parametrize(
    ("mine", "plain", "factor"),
    [(Doubled, rnn.LSTMCell, 2), (Spelled, rnn.RNNCell, 1), (Named, rnn.GRUCell, 1)],
)
def test_a_subclass_may_take_the_weights(mine, plain, factor):
    outputs = []
    for cell in (mine(4), plain(4)):
        cell.initialize(init.Constant(0.1))
        outputs.append(cell(nd.ones((2, 5)), cell.begin_state(2))[0])
        assert cell.unroll(3, nd.ones((2, 3, 5)), merge_outputs=True)[0].shape == (2, 3, 4)
        assert cell.i2h_weight.shape[1] == 5
    assert outputs[0].tolist() == (factor * outputs[1]).tolist()


class Own(rnn.HybridRecurrentCell):
    def __init__(self, units, prefix=None, params=None):
        super().__init__(prefix=prefix, params=params)
        self._units = units
        with self.name_scope():
            self.w = self.params.get("w", shape=(units, 0), allow_deferred_init=True)
            self.u = self.params.get("u", shape=(units, units), allow_deferred_init=True)

    def state_info(self, batch_size=0):
        return [{"shape": (batch_size, self._units), "__layout__": "NC"}]

    def hybrid_forward(self, F, x, states, w, u):
        added = F.FullyConnected(x, w, no_bias=True, num_hidden=self._units)
        output = F.tanh(
            added + F.FullyConnected(states[0], u, no_bias=True, num_hidden=self._units)
        )
        return output, [output]


@pytest.mark.parametrize(
    "make",
    [
        lambda: Own(5),
        lambda: rnn.ResidualCell(Own(5)),
        lambda: rnn.ZoneoutCell(Own(5), 0.5, 0.5),
        lambda: rnn.BidirectionalCell(Own(5), Doubled(5)),
    ],
    ids=["own", "residual", "zoneout", "bidirectional"],
)
def test_a_cell_of_ones_own_infers_its_shapes(make):
    cell = make()
    cell.initialize(init.Constant(0.1))
    assert cell.unroll(3, nd.ones((2, 3, 5)), merge_outputs=True)[0].shape[:2] == (2, 3)
    assert all(0 not in p.shape for p in cell.collect_params().values())
