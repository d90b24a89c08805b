"""MXNet's module of recurrent layers, for code that imports from it."""

from initlab.engine.gluon.rnn.layers import GRU, LSTM, RNN
from initlab.engine.gluon.rnn.layers import _RNNLayer as _RNNLayer

__all__ = ["GRU", "LSTM", "RNN"]
