"""Optimizers (MXNet: `mx.optimizer`). Each updates weights in place, with state by parameter
number.

In the formulas, g is the gradient times `rescale_grad`; clip(x) is x cut to [-clip_gradient,
clip_gradient]; lr and wd include the multipliers of the parameter; t is the number of the weight's
step, from 1. Source: MXNet 1.9.1 python/mxnet/optimizer and src/operator/optimizer_op-inl.h.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from initlab.engine.optimizer.adaptive import AdaDelta, AdaGrad, Ftrl, RMSProp
from initlab.engine.optimizer.base import REGISTRY, Optimizer, create, register
from initlab.engine.optimizer.large_batch import LAMB, LARS, LBSGD
from initlab.engine.optimizer.moments import FTML, Adam, Adamax, AdamW, Nadam
from initlab.engine.optimizer.sgd import DCASGD, NAG, SGD, SGLD, Signum, ccSGD
from initlab.engine.optimizer.updater import Updater, get_updater
from initlab.lazy import suggesting

__all__ = [
    "DCASGD",
    "FTML",
    "LAMB",
    "LARS",
    "LBSGD",
    "NAG",
    "REGISTRY",
    "SGD",
    "SGLD",
    "AdaDelta",
    "AdaGrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Ftrl",
    "Nadam",
    "Optimizer",
    "RMSProp",
    "Signum",
    "Updater",
    "ccSGD",
    "create",
    "get_updater",
    "register",
]

if not TYPE_CHECKING:
    __getattr__ = suggesting(__name__, modules={"optimizer"})
