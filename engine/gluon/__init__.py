"""MXNet Gluon's parameters, blocks and layers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from initlab.lazy import lazily

if TYPE_CHECKING:
    from initlab.engine.errors import DeferredInitializationError
    from initlab.engine.gluon import contrib, data, loss, model_zoo, nn, rnn, utils
    from initlab.engine.gluon.block import Block
    from initlab.engine.gluon.hybrid_block import HybridBlock
    from initlab.engine.gluon.parameter import Constant, Parameter
    from initlab.engine.gluon.parameter_dict import ParameterDict
    from initlab.engine.gluon.symbol_block import SymbolBlock
    from initlab.engine.gluon.trainer import Trainer
    from initlab.engine.gluon.utils import tensor_types

__all__ = [
    "Block",
    "Constant",
    "DeferredInitializationError",
    "HybridBlock",
    "Parameter",
    "ParameterDict",
    "SymbolBlock",
    "Trainer",
    "contrib",
    "data",
    "loss",
    "model_zoo",
    "nn",
    "rnn",
    "tensor_types",
    "utils",
]

if not TYPE_CHECKING:
    DEFINED = {
        "Block": "initlab.engine.gluon.block",
        "Constant": "initlab.engine.gluon.parameter",
        "DeferredInitializationError": "initlab.engine.errors",
        "HybridBlock": "initlab.engine.gluon.hybrid_block",
        "Parameter": "initlab.engine.gluon.parameter",
        "ParameterDict": "initlab.engine.gluon.parameter_dict",
        "SymbolBlock": "initlab.engine.gluon.symbol_block",
        "Trainer": "initlab.engine.gluon.trainer",
        "tensor_types": "initlab.engine.gluon.utils",
    }
    MODULES = {"block", "parameter", "trainer"}
    __getattr__, __dir__ = lazily(__name__, (set(__all__) | MODULES) - DEFINED.keys(), DEFINED)
