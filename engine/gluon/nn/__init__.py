"""Layers and containers (MXNet: `gluon.nn`)."""

from __future__ import annotations

from engine.gluon.block import Block, HybridBlock
from engine.gluon.nn.basic import Activation, Dense, Dropout, Flatten, HybridLambda, Lambda
from engine.gluon.nn.containers import HybridSequential, Residual, Sequential
from engine.gluon.nn.conv import (
    AvgPool1D,
    AvgPool2D,
    AvgPool3D,
    Conv1D,
    Conv2D,
    Conv3D,
    GlobalAvgPool1D,
    GlobalAvgPool2D,
    GlobalAvgPool3D,
    GlobalMaxPool1D,
    GlobalMaxPool2D,
    GlobalMaxPool3D,
    MaxPool1D,
    MaxPool2D,
    MaxPool3D,
)
from engine.gluon.nn.norm import BatchNorm, Embedding, LayerNorm

__all__ = [
    "Conv1D",
    "Conv2D",
    "Conv3D",
    "MaxPool1D",
    "MaxPool2D",
    "MaxPool3D",
    "AvgPool1D",
    "AvgPool2D",
    "AvgPool3D",
    "GlobalMaxPool1D",
    "GlobalMaxPool2D",
    "GlobalMaxPool3D",
    "GlobalAvgPool1D",
    "GlobalAvgPool2D",
    "GlobalAvgPool3D",
    "BatchNorm",
    "Embedding",
    "LayerNorm",
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
