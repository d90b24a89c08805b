"""Metrics of classes and of class probabilities."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy

from initlab.engine.errors import OptionError
from initlab.engine.metric.base import Named, alias, arrays, check_label_shapes, register, whole


@register
@alias("acc")
class Accuracy(Named):
    """The fraction of predictions that equal the label.

    Predictions are class indices, or scores, of which the largest along `axis` is taken.
    """

    def __init__(
        self,
        axis: int = 1,
        name: str = "accuracy",
        output_names: list[str] | None = None,
        label_names: list[str] | None = None,
    ) -> None:
        super().__init__(name, output_names, label_names, axis=axis)
        self.axis = axis

    def update(self, labels: Any, preds: Any) -> None:
        """Add a batch."""
        for label, pred in arrays(labels, preds):
            chosen = pred if pred.shape == label.shape else pred.argmax(axis=self.axis)
            flat_label, flat_chosen = whole(label).ravel(), whole(chosen).ravel()
            check_label_shapes(flat_label, flat_chosen)
            self._add(int((flat_label == flat_chosen).sum()), flat_label.size)


@register
@alias("top_k_accuracy", "top_k_acc")
class TopKAccuracy(Named):
    """The fraction of labels that are among the `top_k` largest scores.

    Raises AssertionError if `top_k` is 1 or less.
    """

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
        """Add a batch. Raises AssertionError if predictions have more than 2 axes."""
        for label, pred in arrays(labels, preds):
            if pred.ndim > 2:
                raise AssertionError("Predictions should be no more than 2 dims")
            check_label_shapes(label, pred)
            k = min(self.top_k, pred.shape[-1])
            order = numpy.argpartition(pred.astype("float32"), -k, axis=-1)
            best = order[..., -k:] if pred.ndim == 2 else order
            hits = (
                best == whole(label).reshape(-1, 1) if pred.ndim == 2 else best == whole(label)
            ).sum()
            self._add(int(hits), len(label))


class _Counts:
    """The numbers of true and false positives and negatives."""

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
        """Return the harmonic mean of precision and recall, or 0 if both are 0."""
        found, wanted = (
            self.true_positive + self.false_positive,
            self.true_positive + self.false_negative,
        )
        precision = self.true_positive / found if found else 0.0
        recall = self.true_positive / wanted if wanted else 0.0
        return 2 * precision * recall / (precision + recall) if precision + recall > 0 else 0.0

    def matthews(self) -> float:
        """Return Matthews' correlation coefficient; factors of 0 are left out of its denominator."""
        terms = (
            self.true_positive + self.false_positive,
            self.true_positive + self.false_negative,
            self.true_negative + self.false_positive,
            self.true_negative + self.false_negative,
        )
        covariance = (
            self.true_positive * self.true_negative - self.false_positive * self.false_negative
        )
        return (
            covariance / math.sqrt(math.prod(term for term in terms if term)) if self.total else 0.0
        )


class _Binary(Named):
    """Base class of metrics of two classes.

    With average `macro` they are averaged over batches, with `micro` computed from all samples
    together. Raises OptionError for another `average`.
    """

    title: ClassVar[str]

    def __init__(
        self,
        name: str | None = None,
        output_names: list[str] | None = None,
        label_names: list[str] | None = None,
        average: str = "macro",
    ) -> None:
        if average not in ("macro", "micro"):
            raise OptionError("average", f"must be 'macro' or 'micro', got {average!r}")
        self._average = average
        self._local, self._global = _Counts(), _Counts()
        super().__init__(name or self.title, output_names, label_names)

    def _score(self, counts: _Counts) -> float:
        raise NotImplementedError

    def update(self, labels: Any, preds: Any) -> None:
        """Add a batch. Raises ValueError if there are more than two classes."""
        for label, pred in arrays(labels, preds):
            check_label_shapes(label, pred)
            classes = whole(label)
            if len(numpy.unique(classes)) > 2:
                raise ValueError(
                    f"{type(self).__name__} currently only supports binary classification."
                )
            for counts in (self._local, self._global):
                counts.add(classes.ravel(), pred.argmax(axis=1))
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
        """Clear all sums."""
        super().reset()
        self._local, self._global = _Counts(), _Counts()

    def reset_local(self) -> None:
        """Clear the sums of `get`, but keep those of `get_global`."""
        super().reset_local()
        self._local = _Counts()


@register
class F1(_Binary):
    """The harmonic mean of precision and recall of class 1."""

    title: ClassVar[str] = "f1"

    def _score(self, counts: _Counts) -> float:
        return counts.f1()


@register
class MCC(_Binary):
    """Matthews' correlation coefficient of two classes."""

    title: ClassVar[str] = "mcc"

    def _score(self, counts: _Counts) -> float:
        return counts.matthews()


@register
class Perplexity(Named):
    """exp of the mean of -log p(label); labels equal to `ignore_label` are skipped."""

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
        """Add a batch. Raises AssertionError if labels and predictions do not fit."""
        loss, count = 0.0, 0
        for label, pred in arrays(labels, preds):
            if label.size != pred.size / pred.shape[-1]:
                raise AssertionError(f"shape mismatch: {label.shape} vs. {pred.shape}")
            scores = numpy.moveaxis(pred, self.axis, -1).reshape(label.size, -1)
            flat = whole(label).ravel()
            picked = scores[numpy.arange(flat.size), numpy.clip(flat, 0, scores.shape[1] - 1)]
            kept = (
                numpy.ones(flat.size, bool)
                if self.ignore_label is None
                else flat != self.ignore_label
            )
            loss -= float(numpy.log(numpy.maximum(1e-10, picked[kept])).sum(dtype=numpy.float64))
            count += int(kept.sum())
        self._add(loss, count)

    def _figure(self, total: float, count: int) -> float:
        return float("nan") if count == 0 else math.exp(total / count)


class _LabelProbability(Named):
    """Base class of metrics that average -log(p(label) + eps)."""

    title: ClassVar[str]

    def __init__(
        self,
        eps: float = 1e-12,
        name: str | None = None,
        output_names: list[str] | None = None,
        label_names: list[str] | None = None,
    ) -> None:
        super().__init__(name or self.title, output_names, label_names, eps=eps)
        self.eps = eps

    def update(self, labels: Any, preds: Any) -> None:
        """Add a batch. Raises AssertionError if labels and predictions have different lengths."""
        for label, pred in arrays(labels, preds):
            flat = label.ravel()
            if len(flat) != len(pred):
                raise AssertionError((len(flat), len(pred)))
            picked = pred[numpy.arange(len(flat)), flat.astype("int64")]
            self._add(float((-numpy.log(picked + self.eps)).sum()), len(flat))


@register
@alias("ce")
class CrossEntropy(_LabelProbability):
    """The mean of -log p(label)."""

    title: ClassVar[str] = "cross-entropy"


@register
@alias("nll_loss")
class NegativeLogLikelihood(_LabelProbability):
    """The mean of -log p(label)."""

    title: ClassVar[str] = "nll-loss"
