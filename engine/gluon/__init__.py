"""MXNet Gluon's parameters, blocks and layers."""

from __future__ import annotations

from engine.gluon import contrib, data, loss, nn, rnn, utils
from engine.gluon.block import Block, HybridBlock
from engine.gluon.parameter import Constant, DeferredInitializationError, Parameter
from engine.gluon.parameter_dict import ParameterDict
from engine.gluon.trainer import Trainer

__all__ = [
    "Block",
    "Constant",
    "DeferredInitializationError",
    "HybridBlock",
    "Parameter",
    "ParameterDict",
    "Trainer",
    "contrib",
    "data",
    "loss",
    "nn",
    "rnn",
    "utils",
]
