"""MXNet's module of basic layers, for code that imports from it."""

from __future__ import annotations

from initlab.engine.gluon.nn.basic import Dense, Dropout, Flatten, HybridLambda, Lambda
from initlab.engine.gluon.nn.containers import HybridSequential, Sequential
from initlab.engine.gluon.nn.embedding import Embedding
from initlab.engine.gluon.nn.norm import (
    BatchNorm,
    BatchNormReLU,
    GroupNorm,
    InstanceNorm,
    LayerNorm,
)

__all__ = [
    "BatchNorm",
    "BatchNormReLU",
    "Dense",
    "Dropout",
    "Embedding",
    "Flatten",
    "GroupNorm",
    "HybridLambda",
    "HybridSequential",
    "InstanceNorm",
    "Lambda",
    "LayerNorm",
    "Sequential",
]
