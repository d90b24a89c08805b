"""Metrics: running averages of how good predictions are (MXNet: `mx.metric`).

`update(labels, preds)` adds a batch, given as lists of arrays of the same length. `get()` returns
the name and the mean since the last `reset_local`, `get_global()` the mean since the last `reset`.
Source: MXNet 1.9.1 python/mxnet/metric.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from initlab.engine import nd as ndarray
from initlab.engine.metric.base import EvalMetric, alias, check_label_shapes, register
from initlab.engine.metric.classification import (
    F1,
    MCC,
    Accuracy,
    CrossEntropy,
    NegativeLogLikelihood,
    Perplexity,
    TopKAccuracy,
)
from initlab.engine.metric.composite import CompositeEvalMetric, create
from initlab.engine.metric.custom import CustomMetric, Loss, np
from initlab.engine.metric.regression import MAE, MSE, RMSE, PearsonCorrelation
from initlab.lazy import suggesting

__all__ = [
    "F1",
    "MAE",
    "MCC",
    "MSE",
    "RMSE",
    "Accuracy",
    "CompositeEvalMetric",
    "CrossEntropy",
    "CustomMetric",
    "EvalMetric",
    "Loss",
    "NegativeLogLikelihood",
    "PearsonCorrelation",
    "Perplexity",
    "TopKAccuracy",
    "alias",
    "check_label_shapes",
    "create",
    "ndarray",
    "np",
    "register",
]

if not TYPE_CHECKING:
    __getattr__ = suggesting(__name__)
