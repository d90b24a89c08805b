"""Metrics of numbers: distances and correlation."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy

from initlab.engine.errors import OptionError
from initlab.engine.metric.base import Named, alias, arrays, check_label_shapes, register


class _Distance(Named):
    """Base class of distances between predictions and labels, averaged over batches."""

    title: ClassVar[str]

    def __init__(
        self,
        name: str | None = None,
        output_names: list[str] | None = None,
        label_names: list[str] | None = None,
    ) -> None:
        super().__init__(name or self.title, output_names, label_names)

    def _distance(self, difference: numpy.ndarray) -> float:
        raise NotImplementedError

    def update(self, labels: Any, preds: Any) -> None:
        """Add the distance of one batch."""
        for label, pred in arrays(labels, preds):
            rows, columns = (x.reshape(-1, 1) if x.ndim == 1 else x for x in (label, pred))
            self._add(float(self._distance(rows - columns)), 1)


@register
class MAE(_Distance):
    """The mean absolute difference."""

    title: ClassVar[str] = "mae"

    def _distance(self, difference: numpy.ndarray) -> float:
        mean: float = numpy.abs(difference).mean()
        return mean


@register
class MSE(_Distance):
    """The mean squared difference."""

    title: ClassVar[str] = "mse"

    def _distance(self, difference: numpy.ndarray) -> float:
        mean: float = (difference**2.0).mean()
        return mean


@register
class RMSE(_Distance):
    """The root of the mean squared difference."""

    title: ClassVar[str] = "rmse"

    def _distance(self, difference: numpy.ndarray) -> float:
        mean: float = numpy.sqrt((difference**2.0).mean())
        return mean


@register
@alias("pearsonr")
class PearsonCorrelation(Named):
    """Pearson's correlation of labels and predictions.

    With average `macro` it is averaged over batches, with `micro` computed from all samples
    together. Raises OptionError for another `average`.
    """

    def __init__(
        self,
        name: str = "pearsonr",
        output_names: list[str] | None = None,
        label_names: list[str] | None = None,
        average: str = "macro",
    ) -> None:
        if average not in ("macro", "micro"):
            raise OptionError("average", f"must be 'macro' or 'micro', got {average!r}")
        self.average = average
        self._moments = numpy.zeros(6)
        super().__init__(name, output_names, label_names)

    def update(self, labels: Any, preds: Any) -> None:
        """Add the correlation of a batch, or in `micro` mode the moments of its samples."""
        for label, pred in arrays(labels, preds):
            check_label_shapes(label, pred, False, True)
            x, y = label.ravel().astype(numpy.float64), pred.ravel().astype(numpy.float64)
            if self.average == "macro":
                self._add(float(numpy.corrcoef(y, x)[0, 1]), 1)
                continue
            self._add(0.0, 1)
            self._merge(
                numpy.array(
                    [
                        x.size,
                        x.mean(),
                        y.mean(),
                        ((x - x.mean()) ** 2).sum(),
                        ((y - y.mean()) ** 2).sum(),
                        ((x - x.mean()) * (y - y.mean())).sum(),
                    ]
                )
            )

    def _merge(self, new: numpy.ndarray) -> None:
        """Merge the count, means, squared deviations and their product of two sets of samples.

        Source: Chan et al. 1979.
        """
        old = self._moments
        count = old[0] + new[0]
        shift = new[1:3] - old[1:3]
        share = old[0] * new[0] / count
        spread = (
            old[3:]
            + new[3:]
            + share * numpy.array([shift[0] ** 2, shift[1] ** 2, shift[0] * shift[1]])
        )
        self._moments = numpy.concatenate([[count], old[1:3] + shift * new[0] / count, spread])

    def reset_local(self) -> None:
        """Clear the sums of `get`; in `micro` mode also the moments of the samples."""
        super().reset_local()
        self._moments = numpy.zeros(6)

    def get(self) -> tuple[str, float]:
        """Return (name, correlation)."""
        if self.num_inst == 0 or self.average == "macro":
            return super().get()
        return self.name, float(self._moments[5] / numpy.sqrt(self._moments[3] * self._moments[4]))
