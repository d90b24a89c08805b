"""Layers and containers (MXNet: `gluon.nn`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from initlab.engine.gluon.block import Block
from initlab.engine.gluon.hybrid_block import HybridBlock
from initlab.engine.gluon.nn.activations import ELU, GELU, SELU, LeakyReLU, PReLU, Swish
from initlab.engine.gluon.nn.attention import (
    MultiHeadAttention,
    PositionEmbedding,
    TransformerBlock,
)
from initlab.engine.gluon.nn.basic import Activation, Dense, Dropout, Flatten, HybridLambda, Lambda
from initlab.engine.gluon.nn.containers import HybridSequential, Residual, Sequential
from initlab.engine.gluon.nn.conv import (
    Conv1D,
    Conv1DTranspose,
    Conv2D,
    Conv2DTranspose,
    Conv3D,
    Conv3DTranspose,
)
from initlab.engine.gluon.nn.embedding import Embedding
from initlab.engine.gluon.nn.norm import (
    BatchNorm,
    BatchNormReLU,
    GroupNorm,
    InstanceNorm,
    LayerNorm,
)
from initlab.engine.gluon.nn.padding import Pad2D, ReflectionPad2D
from initlab.engine.gluon.nn.pooling import (
    AvgPool1D,
    AvgPool2D,
    AvgPool3D,
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
from initlab.engine.gluon.nn.scaling import Scale, Shift
from initlab.lazy import suggesting

__all__ = [
    "MultiHeadAttention",
    "PositionEmbedding",
    "TransformerBlock",
    "Conv1D",
    "Conv2D",
    "Conv3D",
    "Conv1DTranspose",
    "Conv2DTranspose",
    "Conv3DTranspose",
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
    "Pad2D",
    "ReflectionPad2D",
    "BatchNorm",
    "BatchNormReLU",
    "InstanceNorm",
    "GroupNorm",
    "Embedding",
    "LayerNorm",
    "Activation",
    "LeakyReLU",
    "PReLU",
    "ELU",
    "SELU",
    "GELU",
    "Swish",
    "Block",
    "Dense",
    "Dropout",
    "Flatten",
    "HybridBlock",
    "HybridLambda",
    "HybridSequential",
    "Lambda",
    "Residual",
    "Scale",
    "Sequential",
    "Shift",
]

if not TYPE_CHECKING:
    ELSEWHERE = {
        "linear": "Dense",
        "fullyconnected": "Dense",
        "conv": "Conv2D",
        "relu": "Activation('relu')",
        "sigmoid": "Activation('sigmoid')",
        "tanh": "Activation('tanh')",
        "softmax": "mx.nd.softmax",
        "maxpooling2d": "MaxPool2D",
        "averagepooling2d": "AvgPool2D",
        "batchnorm1d": "BatchNorm",
        "batchnorm2d": "BatchNorm",
        "batchnorm3d": "BatchNorm",
        "batchnormalization": "BatchNorm",
        "layernormalization": "LayerNorm",
        "module": "gluon.Block",
        "modulelist": "Sequential",
        "lstm": "gluon.rnn.LSTM",
        "gru": "gluon.rnn.GRU",
        "rnn": "gluon.rnn.RNN",
        "parameter": "gluon.Parameter",
        "crossentropyloss": "gluon.loss.SoftmaxCrossEntropyLoss",
        "mseloss": "gluon.loss.L2Loss",
    }
    MODULES = {"activations", "basic_layers", "conv_layers"}
    __getattr__ = suggesting(__name__, ELSEWHERE, MODULES)
