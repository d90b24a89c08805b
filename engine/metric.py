"""Metrics: running figures of how good predictions are (MXNet: `mx.metric`).

A metric adds up over calls of `update(labels, preds)`, lists of arrays of equal length; `get()` gives its name and the mean since the last
`reset_local`, `get_global()` since the last `reset`. Source: MXNet 1.9.1 python/mxnet/metric.py.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy

from engine.errors import OptionError
from engine.nd import NDArray
from engine.registry import get_alias_func, get_create_func, get_register_func

NICKNAME = "metric"
Pair = tuple[numpy.ndarray, numpy.ndarray]


def check_label_shapes(labels: Any, preds: Any, wrap: bool = False, shape: bool = False) -> tuple[Any, Any]:
    """ValueError unless both have the same length, or with `shape` the same shape; single arrays become lists with `wrap`."""
    found = (labels.shape, preds.shape) if shape else (len(labels), len(preds))
    if found[0] != found[1]:
        raise ValueError(f"Shape of labels {found[0]} does not match shape of predictions {found[1]}")
    if wrap:
        labels, preds = ([x] if isinstance(x, NDArray) else x for x in (labels, preds))
    return labels, preds


class EvalMetric:
    """Base of all metrics. A subclass defines `update`, most by way of `_add`."""

    def __init__(self, name: str, output_names: list[str] | None = None, label_names: list[str] | None = None, **kwargs: Any) -> None:
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
        named = {"metric": type(self).__name__, "name": self.name, "output_names": self.output_names, "label_names": self.label_names}
        return self._kwargs | named

    def update_dict(self, label: dict[str, NDArray], pred: dict[str, NDArray]) -> None:
        """`update` with the arrays of these mappings, or those of them that `label_names` and `output_names` name."""
        labels = list(label.values()) if self.label_names is None else [label[name] for name in self.label_names]
        preds = list(pred.values()) if self.output_names is None else [pred[name] for name in self.output_names]
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
_create = get_create_func(EvalMetric, NICKNAME)


def create(metric: Any, *args: Any, **kwargs: Any) -> EvalMetric:
    """A metric from its name, a function of (label, pred), a list of such, or a metric."""
    if callable(metric):
        return CustomMetric(metric, *args, **kwargs)
    if isinstance(metric, list):
        return CompositeEvalMetric([create(child, *args, **kwargs) for child in metric])
    return _create(metric, *args, **kwargs)


class _Named(EvalMetric):
    """Base of the metrics that keep global figures too; options that make up its config are keywords."""

    def __init__(self, name: str, output_names: list[str] | None, label_names: list[str] | None, **options: Any) -> None:
        super().__init__(name, output_names, label_names, has_global_stats=True, **options)


@register
@alias("composite")
class CompositeEvalMetric(_Named):
    """Several metrics at once."""

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
        """The metric of this number; a ValueError (given, not raised, as MXNet does) where there is none."""
        try:
            return self.metrics[index]
        except IndexError:
            return ValueError(f"Metric index {index} is out of range 0 and {len(self.metrics)}")

    def update_dict(self, label: dict[str, NDArray], pred: dict[str, NDArray]) -> None:
        """`update_dict` of each."""
        if self.label_names is not None:
            label = {name: array for name, array in label.items() if name in self.label_names}
        if self.output_names is not None:
            pred = {name: array for name, array in pred.items() if name in self.output_names}
        for metric in self.metrics:
            metric.update_dict(label, pred)

    def update(self, labels: Any, preds: Any) -> None:
        """`update` of each."""
        for metric in self.metrics:
            metric.update(labels, preds)

    def reset(self) -> None:
        """`reset` of each."""
        for metric in self.metrics:
            metric.reset()

    def reset_local(self) -> None:
        """`reset_local` of each."""
        for metric in self.metrics:
            metric.reset_local()

    def get(self) -> tuple[list[str], list[float]]:
        """(names, values)."""
        return self._gathered(metric.get_name_value() for metric in self.metrics)

    def get_global(self) -> tuple[list[str], list[float]]:
        """(names, values) since the last `reset`."""
        return self._gathered(metric.get_global_name_value() for metric in self.metrics)

    @staticmethod
    def _gathered(found: Iterable[list[tuple[str, float]]]) -> tuple[list[str], list[float]]:
        pairs = [pair for each in found for pair in each]
        return [name for name, _ in pairs], [value for _, value in pairs]

    def get_config(self) -> dict[str, Any]:
        """With the configs of all."""
        return super().get_config() | {"metrics": [metric.get_config() for metric in self.metrics]}


def _arrays(labels: Any, preds: Any) -> Iterator[Pair]:
    """Pairs of NumPy arrays."""
    labels, preds = check_label_shapes(labels, preds, True)
    for label, pred in zip(labels, preds, strict=True):
        yield label.asnumpy(), pred.asnumpy()


def _whole(array: numpy.ndarray) -> numpy.ndarray:
    return array.astype("int32")


# --- classes ----------------------------------------------------------------------------------------------------------------------


@register
@alias("acc")
class Accuracy(_Named):
    """The fraction of right classes; predictions are classes, or scores whose largest along `axis` is taken."""

    def __init__(
        self, axis: int = 1, name: str = "accuracy", output_names: list[str] | None = None, label_names: list[str] | None = None
    ) -> None:
        super().__init__(name, output_names, label_names, axis=axis)
        self.axis = axis

    def update(self, labels: Any, preds: Any) -> None:
        """Count."""
        for label, pred in _arrays(labels, preds):
            chosen = pred if pred.shape == label.shape else pred.argmax(axis=self.axis)
            flat_label, flat_chosen = _whole(label).ravel(), _whole(chosen).ravel()
            check_label_shapes(flat_label, flat_chosen)
            self._add(int((flat_label == flat_chosen).sum()), flat_label.size)


@register
@alias("top_k_accuracy", "top_k_acc")
class TopKAccuracy(_Named):
    """The fraction of labels that are among the `top_k` largest scores."""

    def __init__(
        self,
        top_k: int = 1,
        name: str = "top_k_accuracy",
        output_names: list[str] | None = None,
        label_names: list[str] | None = None,
    ) -> None:
        super().__init__(name, output_names, label_names, top_k=top_k)
        self.top_k = top_k
        if top_k <= 1:
            raise AssertionError("Please use Accuracy if top_k is no more than 1")
        self.name += f"_{top_k}"

    def update(self, labels: Any, preds: Any) -> None:
        """Count."""
        for label, pred in _arrays(labels, preds):
            if pred.ndim > 2:
                raise AssertionError("Predictions should be no more than 2 dims")
            check_label_shapes(label, pred)
            k = min(self.top_k, pred.shape[-1])
            order = numpy.argpartition(pred.astype("float32"), -k, axis=-1)
            best = order[..., -k:] if pred.ndim == 2 else order
            hits = (best == _whole(label).reshape(-1, 1) if pred.ndim == 2 else best == _whole(label)).sum()
            self._add(int(hits), len(label))


class _Counts:
    """How often the two classes were told right and wrong."""

    def __init__(self) -> None:
        self.true_positive = self.false_positive = self.false_negative = self.true_negative = 0

    @property
    def total(self) -> int:
        return self.true_positive + self.false_positive + self.false_negative + self.true_negative

    def add(self, label: numpy.ndarray, chosen: numpy.ndarray) -> None:
        positive, wanted = chosen == 1, label == 1
        self.true_positive += int((positive & wanted).sum())
        self.false_positive += int((positive & ~wanted).sum())
        self.false_negative += int((~positive & wanted).sum())
        self.true_negative += int((~positive & ~wanted).sum())

    def f1(self) -> float:
        """The harmonic mean of precision and recall; 0 where both are."""
        found, wanted = self.true_positive + self.false_positive, self.true_positive + self.false_negative
        precision = self.true_positive / found if found else 0.0
        recall = self.true_positive / wanted if wanted else 0.0
        return 2 * precision * recall / (precision + recall) if precision + recall > 0 else 0.0

    def matthews(self) -> float:
        """Matthews' correlation; factors of 0 are left out of its denominator."""
        terms = (
            self.true_positive + self.false_positive,
            self.true_positive + self.false_negative,
            self.true_negative + self.false_positive,
            self.true_negative + self.false_negative,
        )
        covariance = self.true_positive * self.true_negative - self.false_positive * self.false_negative
        return covariance / math.sqrt(math.prod(term for term in terms if term)) if self.total else 0.0


class _Binary(_Named):
    """Base of the figures of two classes: their mean over batches (`macro`), or of all samples together (`micro`)."""

    def __init__(self, name: str, output_names: list[str] | None, label_names: list[str] | None, average: str) -> None:
        self._average = average
        self._local, self._global = _Counts(), _Counts()
        super().__init__(name, output_names, label_names)

    def _score(self, counts: _Counts) -> float:
        raise NotImplementedError

    def update(self, labels: Any, preds: Any) -> None:
        """Count."""
        for label, pred in _arrays(labels, preds):
            check_label_shapes(label, pred)
            whole = _whole(label)
            if len(numpy.unique(whole)) > 2:
                raise ValueError(f"{type(self).__name__} currently only supports binary classification.")
            for counts in (self._local, self._global):
                counts.add(whole.ravel(), pred.argmax(axis=1))
        if self._average == "macro":
            self.sum_metric += self._score(self._local)
            self.global_sum_metric += self._score(self._global)
            self.num_inst += 1
            self.global_num_inst += 1
            self._local, self._global = _Counts(), _Counts()
        else:
            self.num_inst, self.global_num_inst = self._local.total, self._global.total
            self.sum_metric = self._score(self._local) * self.num_inst
            self.global_sum_metric = self._score(self._global) * self.global_num_inst

    def reset(self) -> None:
        """Forget everything."""
        super().reset()
        self._local, self._global = _Counts(), _Counts()

    def reset_local(self) -> None:
        """Forget all but the global figures."""
        super().reset_local()
        self._local = _Counts()


@register
class F1(_Binary):
    """The harmonic mean of precision and recall of class 1."""

    def __init__(
        self,
        name: str = "f1",
        output_names: list[str] | None = None,
        label_names: list[str] | None = None,
        average: str = "macro",
    ) -> None:
        super().__init__(name, output_names, label_names, average)

    def _score(self, counts: _Counts) -> float:
        return counts.f1()


@register
class MCC(_Binary):
    """Matthews' correlation coefficient of two classes."""

    def __init__(
        self,
        name: str = "mcc",
        output_names: list[str] | None = None,
        label_names: list[str] | None = None,
        average: str = "macro",
    ) -> None:
        super().__init__(name, output_names, label_names, average)

    def _score(self, counts: _Counts) -> float:
        return counts.matthews()


@register
class Perplexity(_Named):
    """exp of the mean -log of the label's probability; labels equal to `ignore_label` do not count."""

    def __init__(
        self,
        ignore_label: int | None,
        axis: int = -1,
        name: str = "perplexity",
        output_names: list[str] | None = None,
        label_names: list[str] | None = None,
    ) -> None:
        super().__init__(name, output_names, label_names, ignore_label=ignore_label)
        self.ignore_label, self.axis = ignore_label, axis

    def update(self, labels: Any, preds: Any) -> None:
        """Add up."""
        loss, count = 0.0, 0
        for label, pred in _arrays(labels, preds):
            if label.size != pred.size / pred.shape[-1]:
                raise AssertionError(f"shape mismatch: {label.shape} vs. {pred.shape}")
            scores = numpy.moveaxis(pred, self.axis, -1).reshape(label.size, -1)
            flat = _whole(label).ravel()
            picked = scores[numpy.arange(flat.size), numpy.clip(flat, 0, scores.shape[1] - 1)]
            kept = numpy.ones(flat.size, bool) if self.ignore_label is None else flat != self.ignore_label
            loss -= float(numpy.log(numpy.maximum(1e-10, picked[kept])).sum(dtype=numpy.float64))
            count += int(kept.sum())
        self._add(loss, count)

    def _figure(self, total: float, count: int) -> float:
        return float("nan") if count == 0 else math.exp(total / count)


class _LabelProbability(_Named):
    """Base of the means of -log(the label's probability + eps)."""

    def __init__(self, eps: float, name: str, output_names: list[str] | None, label_names: list[str] | None) -> None:
        super().__init__(name, output_names, label_names, eps=eps)
        self.eps = eps

    def update(self, labels: Any, preds: Any) -> None:
        """Add up."""
        for label, pred in _arrays(labels, preds):
            flat = label.ravel()
            if len(flat) != len(pred):
                raise AssertionError((len(flat), len(pred)))
            picked = pred[numpy.arange(len(flat)), flat.astype("int64")]
            self._add(float((-numpy.log(picked + self.eps)).sum()), len(flat))


@register
@alias("ce")
class CrossEntropy(_LabelProbability):
    """The mean -log of the label's probability."""

    def __init__(
        self,
        eps: float = 1e-12,
        name: str = "cross-entropy",
        output_names: list[str] | None = None,
        label_names: list[str] | None = None,
    ) -> None:
        super().__init__(eps, name, output_names, label_names)


@register
@alias("nll_loss")
class NegativeLogLikelihood(_LabelProbability):
    """The mean -log of the label's probability."""

    def __init__(
        self, eps: float = 1e-12, name: str = "nll-loss", output_names: list[str] | None = None, label_names: list[str] | None = None
    ) -> None:
        super().__init__(eps, name, output_names, label_names)


# --- numbers ----------------------------------------------------------------------------------------------------------------------


class _Distance(_Named):
    """Base of the distances of predictions from labels: their mean over batches."""

    def _distance(self, difference: numpy.ndarray) -> float:
        raise NotImplementedError

    def update(self, labels: Any, preds: Any) -> None:
        """Add one distance a batch."""
        for label, pred in _arrays(labels, preds):
            rows, columns = (x.reshape(-1, 1) if x.ndim == 1 else x for x in (label, pred))
            self._add(float(self._distance(rows - columns)), 1)


@register
class MAE(_Distance):
    """The mean absolute difference."""

    def __init__(self, name: str = "mae", output_names: list[str] | None = None, label_names: list[str] | None = None) -> None:
        super().__init__(name, output_names, label_names)

    def _distance(self, difference: numpy.ndarray) -> float:
        return numpy.abs(difference).mean()


@register
class MSE(_Distance):
    """The mean squared difference."""

    def __init__(self, name: str = "mse", output_names: list[str] | None = None, label_names: list[str] | None = None) -> None:
        super().__init__(name, output_names, label_names)

    def _distance(self, difference: numpy.ndarray) -> float:
        return (difference**2.0).mean()


@register
class RMSE(_Distance):
    """The root of the mean squared difference."""

    def __init__(self, name: str = "rmse", output_names: list[str] | None = None, label_names: list[str] | None = None) -> None:
        super().__init__(name, output_names, label_names)

    def _distance(self, difference: numpy.ndarray) -> float:
        return numpy.sqrt((difference**2.0).mean())


@register
@alias("pearsonr")
class PearsonCorrelation(_Named):
    """Pearson's correlation of labels and predictions: its mean over batches (`macro`), or of all samples together (`micro`)."""

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
        """Add one correlation a batch, or the moments of its samples."""
        for label, pred in _arrays(labels, preds):
            check_label_shapes(label, pred, False, True)
            x, y = label.ravel().astype(numpy.float64), pred.ravel().astype(numpy.float64)
            if self.average == "macro":
                self._add(float(numpy.corrcoef(y, x)[0, 1]), 1)
                continue
            self._add(0.0, 1)
            self._merge(numpy.array([x.size, x.mean(), y.mean(), ((x - x.mean()) ** 2).sum(), ((y - y.mean()) ** 2).sum(),
                                     ((x - x.mean()) * (y - y.mean())).sum()]))  # fmt: skip

    def _merge(self, new: numpy.ndarray) -> None:
        """Join the count, means, squared deviations and their product of two sets of samples (Chan et al. 1979)."""
        old = self._moments
        count = old[0] + new[0]
        shift = new[1:3] - old[1:3]
        share = old[0] * new[0] / count
        spread = old[3:] + new[3:] + share * numpy.array([shift[0] ** 2, shift[1] ** 2, shift[0] * shift[1]])
        self._moments = numpy.concatenate([[count], old[1:3] + shift * new[0] / count, spread])

    def reset_local(self) -> None:
        """Forget all but the global figures; in `micro` mode the samples' moments are forgotten too."""
        super().reset_local()
        self._moments = numpy.zeros(6)

    def get(self) -> tuple[str, float]:
        """(name, correlation)."""
        if self.num_inst == 0 or self.average == "macro":
            return super().get()
        return self.name, float(self._moments[5] / numpy.sqrt(self._moments[3] * self._moments[4]))


@register
class Loss(_Named):
    """The mean of the predictions, which are losses; labels are not looked at."""

    def __init__(self, name: str = "loss", output_names: list[str] | None = None, label_names: list[str] | None = None) -> None:
        super().__init__(name, output_names, label_names)

    def update(self, labels: Any, preds: Any) -> None:
        """Add up."""
        for pred in [preds] if isinstance(preds, NDArray) else preds:
            self._add(float(pred.sum().asscalar()), pred.size)


@register
class CustomMetric(_Named):
    """A function of (label, pred) as NumPy arrays, which gives a figure a batch, or (sum, count).

    `allow_extra_outputs` lets there be more predictions than labels.
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
        super().__init__(name, output_names, label_names, feval=feval, allow_extra_outputs=allow_extra_outputs)
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
        """NotImplementedError: a function is no config."""
        raise NotImplementedError("CustomMetric cannot be serialized")


def np(
    numpy_feval: Callable[[numpy.ndarray, numpy.ndarray], Any], name: str | None = None, allow_extra_outputs: bool = False
) -> CustomMetric:
    """A `CustomMetric` under the function's own name."""
    return CustomMetric(numpy_feval, name or numpy_feval.__name__, allow_extra_outputs)
