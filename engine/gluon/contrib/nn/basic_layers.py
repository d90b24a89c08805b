"""MXNet's module of contributed layers, for code that imports from it."""

from __future__ import annotations

from initlab.engine.gluon.contrib.nn.concurrent import Concurrent, HybridConcurrent, Identity
from initlab.engine.gluon.contrib.nn.shuffle import PixelShuffle1D, PixelShuffle2D, PixelShuffle3D
from initlab.engine.gluon.contrib.nn.sync_batch_norm import SyncBatchNorm

__all__ = [
    "Concurrent",
    "HybridConcurrent",
    "Identity",
    "PixelShuffle1D",
    "PixelShuffle2D",
    "PixelShuffle3D",
    "SyncBatchNorm",
]
