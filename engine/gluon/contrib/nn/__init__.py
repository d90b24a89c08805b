"""Layers of MXNet's gluon/contrib/nn."""

from __future__ import annotations

from initlab.engine.gluon.contrib.nn import basic_layers
from initlab.engine.gluon.contrib.nn.basic_layers import (
    Concurrent,
    HybridConcurrent,
    Identity,
    PixelShuffle1D,
    PixelShuffle2D,
    PixelShuffle3D,
    SyncBatchNorm,
)

__all__ = [
    "Concurrent",
    "HybridConcurrent",
    "Identity",
    "PixelShuffle1D",
    "PixelShuffle2D",
    "PixelShuffle3D",
    "SyncBatchNorm",
    "basic_layers",
]
