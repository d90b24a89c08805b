"""The `gluon.contrib` namespace of MXNet."""

from __future__ import annotations

from initlab.engine.gluon.contrib import data, nn, rnn

__all__ = ["data", "nn", "rnn"]
