"""MXNet's module of contributed recurrent cells, for code that imports from it."""

from __future__ import annotations

from initlab.engine.gluon.contrib.rnn.dropout import VariationalDropoutCell
from initlab.engine.gluon.contrib.rnn.projection import LSTMPCell

__all__ = ["LSTMPCell", "VariationalDropoutCell"]
