"""Primitives on raw arrays: each computes its result and returns the function that propagates a
gradient back.

A primitive sees only raw arrays and an array library, not NDArrays.
"""

from __future__ import annotations

from initlab.engine.ops import (
    activation,
    attention,
    convolution,
    ctc,
    elementwise,
    factorization,
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
    "factorization",
    "indexing",
    "linear",
    "order",
    "recurrent",
    "reduce",
    "shape",
    "special",
    "traced",
]
