"""More recurrent cells (MXNet: `gluon.contrib.rnn`)."""

from __future__ import annotations

from initlab.engine.gluon.contrib.rnn import rnn_cell
from initlab.engine.gluon.contrib.rnn.rnn_cell import LSTMPCell, VariationalDropoutCell

__all__ = ["LSTMPCell", "VariationalDropoutCell", "rnn_cell"]
