"""What MXNet keeps in `mx.contrib`, as far as it is here: vocabularies and embeddings of text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from initlab.lazy import lazily

if TYPE_CHECKING:
    from initlab.engine.contrib import amp, text

__all__ = ["amp", "text"]

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazily(__name__, __all__, {})
