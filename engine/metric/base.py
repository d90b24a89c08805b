"""The base of all metrics: what adds up over calls of `update`, and the registry.

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
    """ValueError unless both have the same length, or with `shape` the same shape; single arrays
    become lists with `wrap`.
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
    """Base of all metrics. A subclass defines `update`, most by way of `_add`."""

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
        """What `create(**config)` makes an equal metric of."""
        named = {
            "metric": type(self).__name__,
            "name": self.name,
            "output_names": self.output_names,
            "label_names": self.label_names,
        }
        return self._kwargs | named

    def update_dict(self, label: dict[str, NDArray], pred: dict[str, NDArray]) -> None:
        """`update` with the arrays of these mappings, or those of them that `label_names` and
        `output_names` name.
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
        """Take a batch into account."""
        raise NotImplementedError

    def reset(self) -> None:
        """Forget everything."""
        self.global_num_inst = 0
        self.global_sum_metric = 0.0
        self.reset_local()

    def reset_local(self) -> None:
        """Forget all but the global figures."""
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
        """(name, value); NaN before the first update."""
        return self.name, self._figure(self.sum_metric, self.num_inst)

    def get_global(self) -> tuple[Any, Any]:
        """(name, value) since the last `reset`."""
        if not self._has_global_stats:
            return self.get()
        return self.name, self._figure(self.global_sum_metric, self.global_num_inst)

    def get_name_value(self) -> list[tuple[str, float]]:
        """[(name, value), …]"""
        return _pairs(self.get())

    def get_global_name_value(self) -> list[tuple[str, float]]:
        """[(name, value), …] since the last `reset`."""
        return _pairs(self.get_global())


def _pairs(found: tuple[Any, Any]) -> list[tuple[str, float]]:
    names, values = ([x] if not isinstance(x, list) else x for x in found)
    return list(zip(names, values, strict=True))


register = get_register_func(EvalMetric, NICKNAME)
alias = get_alias_func(EvalMetric, NICKNAME)
by_name = get_create_func(EvalMetric, NICKNAME)


class Named(EvalMetric):
    """Base of the metrics that keep global figures too; options that make up its config are
    keywords.
    """

    def __init__(
        self,
        name: str,
        output_names: list[str] | None,
        label_names: list[str] | None,
        **options: Any,
    ) -> None:
        super().__init__(name, output_names, label_names, has_global_stats=True, **options)


def arrays(labels: Any, preds: Any) -> Iterator[Pair]:
    """Pairs of NumPy arrays."""
    labels, preds = check_label_shapes(labels, preds, True)
    for label, pred in zip(labels, preds, strict=True):
        yield label.asnumpy(), pred.asnumpy()


def whole(array: numpy.ndarray) -> numpy.ndarray:
    """Classes as int32."""
    return array.astype("int32")
