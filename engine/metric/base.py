"""EvalMetric, the base class of metrics, and the registry of metrics.

Source: MXNet 1.9.1 python/mxnet/metric.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy

from initlab.engine.nd import NDArray
from initlab.engine.registry import get_alias_func, get_create_func, get_register_func

NICKNAME = "metric"
Pair = tuple[numpy.ndarray, numpy.ndarray]


def check_label_shapes(
    labels: Any, preds: Any, wrap: bool = False, shape: bool = False
) -> tuple[Any, Any]:
    """Check that labels and predictions have the same length, or with `shape` the same shape.

    Returns both, as lists if `wrap`. Raises ValueError if they differ.
    """
    found = (labels.shape, preds.shape) if shape else (len(labels), len(preds))
    if found[0] != found[1]:
        raise ValueError(
            f"Shape of labels {found[0]} does not match shape of predictions {found[1]}"
        )
    if wrap:
        labels, preds = ([x] if isinstance(x, NDArray) else x for x in (labels, preds))
    return labels, preds


class EvalMetric:
    """Base class of metrics. A subclass defines `update`, usually by calling `_add`."""

    def __init__(
        self,
        name: str,
        output_names: list[str] | None = None,
        label_names: list[str] | None = None,
        **kwargs: Any,
    ) -> None:
        self.name = str(name)
        self.output_names = output_names
        self.label_names = label_names
        self._has_global_stats = kwargs.pop("has_global_stats", False)
        self._kwargs = kwargs
        self.reset()

    def __str__(self) -> str:
        return f"EvalMetric: {dict(self.get_name_value())}"

    def get_config(self) -> dict[str, Any]:
        """Return the configuration: `create(**config)` makes an equal metric."""
        named = {
            "metric": type(self).__name__,
            "name": self.name,
            "output_names": self.output_names,
            "label_names": self.label_names,
        }
        return self._kwargs | named

    def update_dict(self, label: dict[str, NDArray], pred: dict[str, NDArray]) -> None:
        """Update with the arrays in two mappings, restricted to `label_names` and `output_names` if
        given.
        """
        labels = (
            list(label.values())
            if self.label_names is None
            else [label[name] for name in self.label_names]
        )
        preds = (
            list(pred.values())
            if self.output_names is None
            else [pred[name] for name in self.output_names]
        )
        self.update(labels, preds)

    def update(self, labels: Any, preds: Any) -> None:
        """Add a batch."""
        raise NotImplementedError

    def reset(self) -> None:
        """Clear all sums."""
        self.global_num_inst = 0
        self.global_sum_metric = 0.0
        self.reset_local()

    def reset_local(self) -> None:
        """Clear the sums of `get`, but keep those of `get_global`."""
        self.num_inst = 0
        self.sum_metric = 0.0

    def _add(self, total: float, count: int) -> None:
        self.sum_metric += total
        self.num_inst += count
        self.global_sum_metric += total
        self.global_num_inst += count

    def _figure(self, total: float, count: int) -> float:
        return float("nan") if count == 0 else total / count

    def get(self) -> tuple[Any, Any]:
        """Return (name, value); the value is NaN before the first update."""
        return self.name, self._figure(self.sum_metric, self.num_inst)

    def get_global(self) -> tuple[Any, Any]:
        """Return (name, value) since the last `reset`."""
        if not self._has_global_stats:
            return self.get()
        return self.name, self._figure(self.global_sum_metric, self.global_num_inst)

    def get_name_value(self) -> list[tuple[str, float]]:
        """Return [(name, value), …]."""
        return _pairs(self.get())

    def get_global_name_value(self) -> list[tuple[str, float]]:
        """Return [(name, value), …] since the last `reset`."""
        return _pairs(self.get_global())


def _pairs(found: tuple[Any, Any]) -> list[tuple[str, float]]:
    names, values = ([x] if not isinstance(x, list) else x for x in found)
    return list(zip(names, values, strict=True))


register = get_register_func(EvalMetric, NICKNAME)
alias = get_alias_func(EvalMetric, NICKNAME)
by_name = get_create_func(EvalMetric, NICKNAME)


class Named(EvalMetric):
    """Base class of metrics with global sums; keyword options become part of the configuration."""

    def __init__(
        self,
        name: str,
        output_names: list[str] | None,
        label_names: list[str] | None,
        **options: Any,
    ) -> None:
        super().__init__(name, output_names, label_names, has_global_stats=True, **options)


def arrays(labels: Any, preds: Any) -> Iterator[Pair]:
    """Return pairs of NumPy arrays (label, prediction)."""
    labels, preds = check_label_shapes(labels, preds, True)
    for label, pred in zip(labels, preds, strict=True):
        yield label.asnumpy(), pred.asnumpy()


def whole(array: numpy.ndarray) -> numpy.ndarray:
    """Return class indices as int32."""
    return array.astype("int32")
