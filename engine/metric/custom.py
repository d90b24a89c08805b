"""Metrics computed elsewhere: the mean of losses, and functions of the user."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy

from initlab.engine.metric.base import Named, check_label_shapes, register
from initlab.engine.nd import NDArray


@register
class Loss(Named):
    """The mean of the predictions, which are losses. Labels are ignored."""

    def __init__(
        self,
        name: str = "loss",
        output_names: list[str] | None = None,
        label_names: list[str] | None = None,
    ) -> None:
        super().__init__(name, output_names, label_names)

    def update(self, labels: Any, preds: Any) -> None:
        """Add a batch."""
        for pred in [preds] if isinstance(preds, NDArray) else preds:
            self._add(float(pred.sum().asscalar()), pred.size)


@register
class CustomMetric(Named):
    """A metric from a function of (label, pred), both NumPy arrays.

    The function returns one value for a batch, or (sum, count). With `allow_extra_outputs` there
    may be more predictions than labels.
    """

    def __init__(
        self,
        feval: Callable[[numpy.ndarray, numpy.ndarray], Any],
        name: str | None = None,
        allow_extra_outputs: bool = False,
        output_names: list[str] | None = None,
        label_names: list[str] | None = None,
    ) -> None:
        if name is None:
            name = feval.__name__
            name = f"custom({name})" if "<" in name else name
        super().__init__(
            name, output_names, label_names, feval=feval, allow_extra_outputs=allow_extra_outputs
        )
        self._feval = feval
        self._allow_extra_outputs = allow_extra_outputs

    def update(self, labels: Any, preds: Any) -> None:
        """Call the function for each pair."""
        if not self._allow_extra_outputs:
            labels, preds = check_label_shapes(labels, preds, True)
        for label, pred in zip(labels, preds, strict=False):
            found = self._feval(label.asnumpy(), pred.asnumpy())
            self._add(*(found if isinstance(found, tuple) else (found, 1)))

    def get_config(self) -> dict[str, Any]:
        """Raise NotImplementedError: a function cannot be part of a configuration."""
        raise NotImplementedError("CustomMetric cannot be serialized")


def np(
    numpy_feval: Callable[[numpy.ndarray, numpy.ndarray], Any],
    name: str | None = None,
    allow_extra_outputs: bool = False,
) -> CustomMetric:
    """Return a `CustomMetric` with the name of the function."""
    return CustomMetric(numpy_feval, name, allow_extra_outputs)
