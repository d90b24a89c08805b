"""MXNet's `gluon.model_zoo`, so far as Gluon code imports it: no networks and no downloads are here.

Importing it works; what would make a network or fetch its weights raises one error that says what
to do instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from initlab.lazy import lazily

if TYPE_CHECKING:
    from initlab.engine.gluon.model_zoo import model_store, vision

__all__ = ["model_store", "vision"]

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazily(__name__, __all__, {})
