"""Layers and containers (MXNet: `gluon.nn`)."""

from __future__ import annotations

from engine.gluon.block import Block, HybridBlock
from engine.gluon.nn.basic import Activation, Dense, Dropout, Flatten, HybridLambda, Lambda
from engine.gluon.nn.containers import HybridSequential, Residual, Sequential

__all__ = [
    "Activation",
    "Block",
    "Dense",
    "Dropout",
    "Flatten",
    "HybridBlock",
    "HybridLambda",
    "HybridSequential",
    "Lambda",
    "Residual",
    "Sequential",
]
