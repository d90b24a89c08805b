"""Recurrent networks: cells that make one step, and layers that run whole sequences (MXNet: `gluon.rnn`)."""

from __future__ import annotations

from engine.gluon.rnn.cell import HybridRecurrentCell, RecurrentCell
from engine.gluon.rnn.gated import GRUCell, LSTMCell, RNNCell
from engine.gluon.rnn.layers import GRU, LSTM, RNN
from engine.gluon.rnn.modifiers import DropoutCell, ModifierCell, ResidualCell, ZoneoutCell
from engine.gluon.rnn.stacked import BidirectionalCell, HybridSequentialRNNCell, SequentialRNNCell

__all__ = [
    "GRU",
    "LSTM",
    "RNN",
    "BidirectionalCell",
    "DropoutCell",
    "GRUCell",
    "HybridRecurrentCell",
    "HybridSequentialRNNCell",
    "LSTMCell",
    "ModifierCell",
    "RNNCell",
    "RecurrentCell",
    "ResidualCell",
    "SequentialRNNCell",
    "ZoneoutCell",
]
