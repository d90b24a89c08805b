"""Primitives: each computes its result and, beside it, how a gradient goes back. They see raw
arrays and an array library only.
"""

from __future__ import annotations

from initlab.engine.ops import (
    activation,
    attention,
    convolution,
    ctc,
    elementwise,
    indexing,
    linear,
    order,
    recurrent,
    reduce,
    shape,
    special,
    traced,
)

__all__ = [
    "activation",
    "attention",
    "convolution",
    "ctc",
    "elementwise",
    "indexing",
    "linear",
    "order",
    "recurrent",
    "reduce",
    "shape",
    "special",
    "traced",
]
