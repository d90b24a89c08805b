"""CompositeEvalMetric, which combines several metrics, and `create`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from initlab.engine.metric.base import EvalMetric, Named, alias, by_name, register
from initlab.engine.metric.custom import CustomMetric
from initlab.engine.nd import NDArray


def create(metric: Any, *args: Any, **kwargs: Any) -> EvalMetric:
    """Return a metric, given its name, a function of (label, pred), a metric, or a list of these."""
    if callable(metric):
        return CustomMetric(metric, *args, **kwargs)
    if isinstance(metric, list):
        return CompositeEvalMetric([create(child, *args, **kwargs) for child in metric])
    return by_name(metric, *args, **kwargs)


@register
@alias("composite")
class CompositeEvalMetric(Named):
    """Several metrics updated together."""

    def __init__(
        self,
        metrics: Iterable[Any] | None = None,
        name: str = "composite",
        output_names: list[str] | None = None,
        label_names: list[str] | None = None,
    ) -> None:
        self.metrics = [create(metric) for metric in metrics or ()]
        super().__init__(name, output_names, label_names)

    def add(self, metric: Any) -> None:
        """Append a metric."""
        self.metrics.append(create(metric))

    def get_metric(self, index: int) -> Any:
        """Return the metric at `index`. If there is none, returns (not raises) a ValueError, as
        MXNet does.
        """
        try:
            return self.metrics[index]
        except IndexError:
            return ValueError(f"Metric index {index} is out of range 0 and {len(self.metrics)}")

    def update_dict(self, label: dict[str, NDArray], pred: dict[str, NDArray]) -> None:
        """Call `update_dict` of each metric."""
        if self.label_names is not None:
            label = {name: array for name, array in label.items() if name in self.label_names}
        if self.output_names is not None:
            pred = {name: array for name, array in pred.items() if name in self.output_names}
        for metric in self.metrics:
            metric.update_dict(label, pred)

    def update(self, labels: Any, preds: Any) -> None:
        """Call `update` of each metric."""
        for metric in self.metrics:
            metric.update(labels, preds)

    def reset(self) -> None:
        """Call `reset` of each metric."""
        for metric in self.metrics:
            metric.reset()

    def reset_local(self) -> None:
        """Call `reset_local` of each metric."""
        for metric in self.metrics:
            metric.reset_local()

    def get(self) -> tuple[list[str], list[float]]:
        """Return (names, values)."""
        return self._gathered(metric.get_name_value() for metric in self.metrics)

    def get_global(self) -> tuple[list[str], list[float]]:
        """Return (names, values) since the last `reset`."""
        return self._gathered(metric.get_global_name_value() for metric in self.metrics)

    @staticmethod
    def _gathered(found: Iterable[list[tuple[str, float]]]) -> tuple[list[str], list[float]]:
        pairs = [pair for each in found for pair in each]
        return [name for name, _ in pairs], [value for _, value in pairs]

    def get_config(self) -> dict[str, Any]:
        """Return the configuration, including those of all metrics."""
        return super().get_config() | {"metrics": [metric.get_config() for metric in self.metrics]}
