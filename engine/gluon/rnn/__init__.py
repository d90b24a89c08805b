"""Recurrent networks: cells compute one step, layers whole sequences (MXNet: `gluon.rnn`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from initlab.engine.gluon.rnn.cell import HybridRecurrentCell, RecurrentCell
from initlab.engine.gluon.rnn.gated import GRUCell, LSTMCell, RNNCell
from initlab.engine.gluon.rnn.layers import GRU, LSTM, RNN
from initlab.engine.gluon.rnn.modifiers import DropoutCell, ModifierCell, ResidualCell, ZoneoutCell
from initlab.engine.gluon.rnn.stacked import (
    BidirectionalCell,
    HybridSequentialRNNCell,
    SequentialRNNCell,
)
from initlab.lazy import suggesting

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

if not TYPE_CHECKING:
    __getattr__ = suggesting(__name__, modules={"rnn_cell", "rnn_layer"})
