"""Losses: one value a sample, the mean over its other axes (MXNet: gluon/loss.py).

`weight` scales a loss, `sample_weight` its elements.
"""

from __future__ import annotations

import math

from initlab.engine.gluon.block import Functions, HybridBlock
from initlab.engine.gluon.parameter_dict import ParameterDict
from initlab.engine.nd import NDArray

TINY = 1e-12


class Loss(HybridBlock):
    """Base of all losses."""

    def __init__(
        self,
        weight: float | None,
        batch_axis: int,
        prefix: str | None = None,
        params: ParameterDict | None = None,
    ) -> None:
        super().__init__(prefix, params)
        self._weight = weight
        self._batch_axis = batch_axis

    def __repr__(self) -> str:
        return f"{type(self).__name__}(batch_axis={self._batch_axis}, w={self._weight})"

    def _weighted(self, loss: NDArray, sample_weight: NDArray | None) -> NDArray:
        if sample_weight is not None:
            loss = loss * sample_weight
        return loss if self._weight is None else loss * self._weight

    def _reduced(self, loss: NDArray, sample_weight: NDArray | None) -> NDArray:
        """Weighted, and the mean over all axes but the batch's."""
        return self._weighted(loss, sample_weight).mean(axis=self._batch_axis, exclude=True)


class L2Loss(Loss):
    """weight (pred - label)^2 / 2."""

    def __init__(
        self,
        weight: float = 1.0,
        batch_axis: int = 0,
        prefix: str | None = None,
        params: ParameterDict | None = None,
    ) -> None:
        super().__init__(weight, batch_axis, prefix, params)

    def hybrid_forward(
        self, F: Functions, pred: NDArray, label: NDArray, sample_weight: NDArray | None = None
    ) -> NDArray:
        """A value a sample."""
        return self._reduced((label.reshape_like(pred) - pred).square() * 0.5, sample_weight)


class L1Loss(Loss):
    """|pred - label|."""

    def __init__(
        self,
        weight: float | None = None,
        batch_axis: int = 0,
        prefix: str | None = None,
        params: ParameterDict | None = None,
    ) -> None:
        super().__init__(weight, batch_axis, prefix, params)

    def hybrid_forward(
        self, F: Functions, pred: NDArray, label: NDArray, sample_weight: NDArray | None = None
    ) -> NDArray:
        """A value a sample."""
        return self._reduced((label.reshape_like(pred) - pred).abs(), sample_weight)


class SigmoidBinaryCrossEntropyLoss(Loss):
    """-(label log p + (1 - label) log(1 - p)), p being the sigmoid of pred, or pred itself with
    `from_sigmoid`.
    """

    def __init__(
        self,
        from_sigmoid: bool = False,
        weight: float | None = None,
        batch_axis: int = 0,
        prefix: str | None = None,
        params: ParameterDict | None = None,
    ) -> None:
        super().__init__(weight, batch_axis, prefix, params)
        self._from_sigmoid = from_sigmoid

    def hybrid_forward(
        self,
        F: Functions,
        pred: NDArray,
        label: NDArray,
        sample_weight: NDArray | None = None,
        pos_weight: NDArray | None = None,
    ) -> NDArray:
        """A value a sample; `pos_weight` scales the share of the positive labels."""
        label = label.reshape_like(pred)
        if self._from_sigmoid:
            positive = (pred + TINY).log() * label
            negative = (1.0 - pred + TINY).log() * (1.0 - label)
            loss = -(
                positive + negative if pos_weight is None else positive * pos_weight + negative
            )
        else:
            soft = (-pred.abs()).softrelu() + (-pred).relu()
            scale = 1.0 if pos_weight is None else 1.0 + (pos_weight - 1.0) * label
            loss = pred - pred * label + soft * scale
        return self._reduced(loss, sample_weight)


SigmoidBCELoss = SigmoidBinaryCrossEntropyLoss


class SoftmaxCrossEntropyLoss(Loss):
    """-log softmax(pred)[label] with class numbers as labels, or -sum label log softmax(pred) with
    `sparse_label` False.
    """

    def __init__(
        self,
        axis: int = -1,
        sparse_label: bool = True,
        from_logits: bool = False,
        weight: float | None = None,
        batch_axis: int = 0,
        prefix: str | None = None,
        params: ParameterDict | None = None,
    ) -> None:
        super().__init__(weight, batch_axis, prefix, params)
        self._axis, self._sparse_label, self._from_logits = axis, sparse_label, from_logits

    def hybrid_forward(
        self, F: Functions, pred: NDArray, label: NDArray, sample_weight: NDArray | None = None
    ) -> NDArray:
        """A value a sample."""
        log_p = pred if self._from_logits else F.log_softmax(pred, axis=self._axis)
        if self._sparse_label:
            loss = -F.pick(log_p, label, axis=self._axis, keepdims=True)
        else:
            loss = -(log_p * label.reshape_like(log_p)).sum(axis=self._axis, keepdims=True)
        return self._reduced(loss, sample_weight)


SoftmaxCELoss = SoftmaxCrossEntropyLoss


class KLDivLoss(Loss):
    """label (log label - log p), summed over a sample; p is given by its logarithm, or with
    `from_logits` False by scores.
    """

    def __init__(
        self,
        from_logits: bool = True,
        axis: int = -1,
        weight: float | None = None,
        batch_axis: int = 0,
        prefix: str | None = None,
        params: ParameterDict | None = None,
    ) -> None:
        super().__init__(weight, batch_axis, prefix, params)
        self._from_logits, self._axis = from_logits, axis

    def hybrid_forward(
        self, F: Functions, pred: NDArray, label: NDArray, sample_weight: NDArray | None = None
    ) -> NDArray:
        """A value a sample."""
        log_p = pred if self._from_logits else F.log_softmax(pred, axis=self._axis)
        loss = self._weighted(label * ((label + TINY).log() - log_p), sample_weight)
        return loss.sum(axis=self._batch_axis, exclude=True)


class HuberLoss(Loss):
    """(pred - label)^2 / (2 rho) where |pred - label| < rho, else |pred - label| - rho / 2."""

    def __init__(
        self,
        rho: float = 1,
        weight: float | None = None,
        batch_axis: int = 0,
        prefix: str | None = None,
        params: ParameterDict | None = None,
    ) -> None:
        super().__init__(weight, batch_axis, prefix, params)
        self._rho = rho

    def hybrid_forward(
        self, F: Functions, pred: NDArray, label: NDArray, sample_weight: NDArray | None = None
    ) -> NDArray:
        """A value a sample."""
        distance = (label.reshape_like(pred) - pred).abs()
        loss = F.where(
            distance > self._rho, distance - 0.5 * self._rho, (0.5 / self._rho) * distance.square()
        )
        return self._reduced(loss, sample_weight)


class HingeLoss(Loss):
    """max(0, margin - pred label), labels being -1 and 1."""

    def __init__(
        self,
        margin: float = 1,
        weight: float | None = None,
        batch_axis: int = 0,
        prefix: str | None = None,
        params: ParameterDict | None = None,
    ) -> None:
        super().__init__(weight, batch_axis, prefix, params)
        self._margin = margin

    def _lack(self, pred: NDArray, label: NDArray) -> NDArray:
        return (self._margin - pred * label.reshape_like(pred)).relu()

    def hybrid_forward(
        self, F: Functions, pred: NDArray, label: NDArray, sample_weight: NDArray | None = None
    ) -> NDArray:
        """A value a sample."""
        return self._reduced(self._lack(pred, label), sample_weight)


class SquaredHingeLoss(HingeLoss):
    """max(0, margin - pred label)^2, labels being -1 and 1."""

    def hybrid_forward(
        self, F: Functions, pred: NDArray, label: NDArray, sample_weight: NDArray | None = None
    ) -> NDArray:
        """A value a sample."""
        return self._reduced(self._lack(pred, label).square(), sample_weight)


class LogisticLoss(Loss):
    """log(1 + exp(-pred label)) for signed labels (-1, 1), or with `label_format` 'binary' for
    labels 0 and 1.
    """

    def __init__(
        self,
        weight: float | None = None,
        batch_axis: int = 0,
        label_format: str = "signed",
        prefix: str | None = None,
        params: ParameterDict | None = None,
    ) -> None:
        super().__init__(weight, batch_axis, prefix, params)
        if label_format not in ("signed", "binary"):
            raise ValueError(f"label_format can only be signed or binary, received {label_format}.")
        self._label_format = label_format

    def hybrid_forward(
        self, F: Functions, pred: NDArray, label: NDArray, sample_weight: NDArray | None = None
    ) -> NDArray:
        """A value a sample."""
        label = label.reshape_like(pred)
        if self._label_format == "signed":
            label = (label + 1.0) / 2.0
        loss = pred.relu() - pred * label + (-pred.abs()).softrelu()
        return self._reduced(loss, sample_weight)


class TripletLoss(Loss):
    """max(0, |positive - pred|^2 - |negative - pred|^2 + margin), summed over a sample."""

    def __init__(
        self,
        margin: float = 1,
        weight: float | None = None,
        batch_axis: int = 0,
        prefix: str | None = None,
        params: ParameterDict | None = None,
    ) -> None:
        super().__init__(weight, batch_axis, prefix, params)
        self._margin = margin

    def hybrid_forward(
        self,
        F: Functions,
        pred: NDArray,
        positive: NDArray,
        negative: NDArray,
        sample_weight: NDArray | None = None,
    ) -> NDArray:
        """A value a sample."""
        apart = (positive.reshape_like(pred) - pred).square() - (
            negative.reshape_like(pred) - pred
        ).square()
        return self._weighted(
            (apart.sum(axis=self._batch_axis, exclude=True) + self._margin).relu(), sample_weight
        )


class PoissonNLLLoss(Loss):
    """The mean over everything of pred - target log pred, pred being given by its logarithm unless
    `from_logits` is False.

    `compute_full` adds Stirling's approximation of log target! for targets above 1; `epsilon` keeps
    the logarithm from 0.
    """

    def __init__(
        self,
        weight: float | None = None,
        from_logits: bool = True,
        batch_axis: int = 0,
        compute_full: bool = False,
        prefix: str | None = None,
        params: ParameterDict | None = None,
    ) -> None:
        super().__init__(weight, batch_axis, prefix, params)
        self._from_logits, self._compute_full = from_logits, compute_full

    def hybrid_forward(
        self,
        F: Functions,
        pred: NDArray,
        target: NDArray,
        sample_weight: NDArray | None = None,
        epsilon: float = 1e-8,
    ) -> NDArray:
        """One value."""
        target = target.reshape_like(pred)
        loss = (
            pred.exp() - target * pred
            if self._from_logits
            else pred - target * (pred + epsilon).log()
        )
        if self._compute_full:
            safe = F.maximum(target, 1.0)  # below, the term is 0 whatever its logarithm
            stirling = safe * safe.log() - safe + 0.5 * (2 * math.pi * safe).log()
            loss = loss + stirling * (target > 1)
        return self._weighted(loss, sample_weight).mean()


class CTCLoss(Loss):
    """-log p of a label sequence over all its alignments with the scores; the last class
    is the blank (Graves et al. 2006).

    Scores are (batch, time, classes) for layout NTC, labels (batch, longest) for NT, padded with -1
    where no `label_lengths` are given.
    """

    def __init__(
        self,
        layout: str = "NTC",
        label_layout: str = "NT",
        weight: float | None = None,
        prefix: str | None = None,
        params: ParameterDict | None = None,
    ) -> None:
        if layout not in ("NTC", "TNC"):
            raise AssertionError(
                f"Only 'NTC' and 'TNC' layouts for pred are supported. Got: {layout}"
            )
        if label_layout not in ("NT", "TN"):
            raise AssertionError(
                f"Only 'NT' and 'TN' layouts for label are supported. Got: {label_layout}"
            )
        super().__init__(weight, label_layout.find("N"), prefix, params)
        self._layout, self._label_layout = layout, label_layout

    def hybrid_forward(
        self,
        F: Functions,
        pred: NDArray,
        label: NDArray,
        pred_lengths: NDArray | None = None,
        label_lengths: NDArray | None = None,
        sample_weight: NDArray | None = None,
    ) -> NDArray:
        """A value a sample."""
        scores = pred.transpose((1, 0, 2)) if self._layout == "NTC" else pred
        rows = label.transpose() if self._label_layout == "TN" else label
        use = {
            "use_data_lengths": pred_lengths is not None,
            "use_label_lengths": label_lengths is not None,
        }
        loss = F.CTCLoss(scores, rows, pred_lengths, label_lengths, blank_label="last", **use)
        return self._weighted(loss, sample_weight)


class SDMLLoss(Loss):
    """Smoothed deep metric learning: pairs of a batch shall be nearer to each other than to all
    others (Bonadiman et al. 2019).

    Row i of x1 belongs to row i of x2; the Kullback-Leibler divergence of the softmax of negative
    squared distances from the identity smoothed by `smoothing_parameter`, summed over each row.
    """

    def __init__(
        self,
        smoothing_parameter: float = 0.3,
        weight: float = 1.0,
        batch_axis: int = 0,
        prefix: str | None = None,
        params: ParameterDict | None = None,
    ) -> None:
        super().__init__(weight, batch_axis, prefix, params)
        self._kl = KLDivLoss(from_logits=True)
        self._smoothing = smoothing_parameter

    def hybrid_forward(self, F: Functions, x1: NDArray, x2: NDArray) -> NDArray:
        """A value a sample."""
        count, width = x1.shape
        apart = x1.reshape((count, 1, width)) - x2.reshape((1, count, width))
        log_p = F.log_softmax(-(apart * apart).sum(axis=2), axis=1)
        gold = F.eye(count, ctx=x1.context, dtype=x1.dtype)
        labels = gold * (1 - self._smoothing) + (1 - gold) * self._smoothing / (count - 1)
        divergence: NDArray = self._kl(log_p, labels)
        return divergence


class CosineEmbeddingLoss(Loss):
    """1 - cos(a, b) for label 1, max(0, cos(a, b) - margin) for label -1."""

    def __init__(
        self,
        weight: float | None = None,
        batch_axis: int = 0,
        margin: float = 0,
        prefix: str | None = None,
        params: ParameterDict | None = None,
    ) -> None:
        super().__init__(weight, batch_axis, prefix, params)
        self._margin = margin

    def hybrid_forward(
        self,
        F: Functions,
        input1: NDArray,
        input2: NDArray,
        label: NDArray,
        sample_weight: NDArray | None = None,
    ) -> NDArray:
        """A value a sample."""
        product = (input1 * input2).sum(axis=-1).reshape((-1, 1))
        lengths = (input1.norm(axis=-1) * input2.norm(axis=-1)).reshape((-1, 1))
        cosine = product / F.maximum(lengths, TINY)
        label = label.reshape((-1, 1))
        return self._weighted(
            F.where(label == 1, 1 - cosine, F.maximum(cosine - self._margin, 0.0)), sample_weight
        )
