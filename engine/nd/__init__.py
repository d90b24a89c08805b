"""`nd`: arrays on devices, and what can be done with them (MXNet: `mx.nd`)."""

from __future__ import annotations

from typing import Any

from engine.nd import random
from engine.nd.creation import arange, array, empty, eye, full, linspace, ones, ones_like, zeros, zeros_like
from engine.nd.files import load, load_frombuffer, save
from engine.nd.functions import (
    FUNCTIONS,
    PAIRS,
    Activation,
    BlockGrad,
    Dropout,
    Embedding,
    FullyConnected,
    broadcast_to,
    cast,
    clip,
    concat,
    concatenate,
    dot,
    expand_dims,
    flatten,
    identity,
    one_hot,
    pick,
    reshape,
    split,
    squeeze,
    stack,
    stop_gradient,
    take,
    transpose,
    where,
)
from engine.nd.layers import (
    BatchNorm,
    Convolution,
    Deconvolution,
    GroupNorm,
    InstanceNorm,
    LayerNorm,
    LeakyReLU,
    Pad,
    Pooling,
    pad,
)
from engine.nd.ndarray import NDArray
from engine.nd.sequence_loss import CTCLoss, ctc_loss

globals().update(FUNCTIONS)
globals().update(PAIRS)
Flatten = flatten


def waitall() -> None:
    """Nothing to wait for: values are there when an operation returns."""


def __getattr__(name: str) -> Any:
    raise AttributeError(f"engine.nd has no function '{name}'")


__all__ = [
    "Activation",
    "BatchNorm",
    "BlockGrad",
    "CTCLoss",
    "Convolution",
    "Deconvolution",
    "Dropout",
    "Embedding",
    "Flatten",
    "FullyConnected",
    "GroupNorm",
    "InstanceNorm",
    "LayerNorm",
    "LeakyReLU",
    "NDArray",
    "Pad",
    "Pooling",
    "arange",
    "array",
    "broadcast_to",
    "cast",
    "clip",
    "concat",
    "concatenate",
    "ctc_loss",
    "dot",
    "empty",
    "expand_dims",
    "eye",
    "flatten",
    "full",
    "identity",
    "linspace",
    "load",
    "load_frombuffer",
    "one_hot",
    "ones",
    "ones_like",
    "pad",
    "pick",
    "random",
    "reshape",
    "save",
    "split",
    "squeeze",
    "stack",
    "stop_gradient",
    "take",
    "transpose",
    "waitall",
    "where",
    "zeros",
    "zeros_like",
    *FUNCTIONS,
    *PAIRS,
]
