"""The `gluon.contrib` namespace of MXNet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from initlab.lazy import lazily

if TYPE_CHECKING:
    from initlab.engine.gluon.contrib import data, nn, rnn

__all__ = ["data", "nn", "rnn"]

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazily(__name__, __all__, {})
