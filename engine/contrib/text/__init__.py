"""Vocabularies and embeddings of text (MXNet: `mx.contrib.text`)."""

from __future__ import annotations

from initlab.engine.contrib.text import embedding, utils, vocab

__all__ = ["embedding", "utils", "vocab"]
