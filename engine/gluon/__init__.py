"""MXNet Gluon's parameters, blocks and layers."""

from __future__ import annotations

from initlab.engine.errors import DeferredInitializationError
from initlab.engine.gluon import contrib, data, loss, nn, rnn, utils
from initlab.engine.gluon.block import Block, HybridBlock
from initlab.engine.gluon.parameter import Constant, Parameter
from initlab.engine.gluon.parameter_dict import ParameterDict
from initlab.engine.gluon.trainer import Trainer

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
