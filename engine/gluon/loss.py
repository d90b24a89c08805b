"""Losses (MXNet: gluon/loss.py).

A loss returns one value for each sample, shape (batch,): the mean over the sample's elements unless
its docstring says otherwise. `weight` scales the loss, `sample_weight` (which broadcasts to the
elements) scales each element.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from initlab.engine import nd
from initlab.engine.gluon.hybrid_block import Functions, HybridBlock
from initlab.engine.gluon.parameter_dict import ParameterDict
from initlab.engine.nd import NDArray
from initlab.lazy import suggesting

TINY = 1e-12


def _apply_weighting(
    F: Any, loss: NDArray, weight: float | None = None, sample_weight: NDArray | None = None
) -> NDArray:
    """Return the loss times `sample_weight`, which broadcasts, times the number `weight`.

    Losses written for MXNet import it. Raises AssertionError if `weight` is no number.
    """
    if sample_weight is not None:
        loss = F.broadcast_mul(loss, sample_weight)
    if weight is None:
        return loss
    if not isinstance(weight, (int, float, np.generic)):
        raise AssertionError("weight must be a number")
    return loss * weight


def _reshape_like(F: Any, x: NDArray, y: NDArray) -> NDArray:
    """Return x in the shape of y. Losses written for MXNet import it."""
    reshaped: NDArray = F.reshape_like(x, y)
    return reshaped


class Loss(HybridBlock):
    """Base class of losses."""

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
        return _apply_weighting(nd, loss, self._weight, sample_weight)

    def _reduced(self, loss: NDArray, sample_weight: NDArray | None) -> NDArray:
        """Return the weighted loss, averaged over all axes but the batch axis."""
        return self._weighted(loss, sample_weight).mean(axis=self._batch_axis, exclude=True)


class L2Loss(Loss):
    """weight (pred - label)^2 / 2; `label` is reshaped to the shape of `pred`."""

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
        """Return the loss of each sample, shape (batch,)."""
        return self._reduced((label.reshape_like(pred) - pred).square() * 0.5, sample_weight)


class L1Loss(Loss):
    """|pred - label|; `label` is reshaped to the shape of `pred`."""

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
        """Return the loss of each sample, shape (batch,)."""
        return self._reduced((label.reshape_like(pred) - pred).abs(), sample_weight)


class SigmoidBinaryCrossEntropyLoss(Loss):
    """-(label log p + (1 - label) log(1 - p)) with p = sigmoid(pred).

    With `from_sigmoid`, p is `pred` itself.
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
        """Return the loss of each sample, shape (batch,); `pos_weight` scales the term of label 1."""
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
    """-log softmax(pred)[label] along `axis`, where `label` holds class indices.

    With `sparse_label` False, `label` holds probabilities, and the loss is -sum label log
    softmax(pred). With `from_logits`, `pred` holds log softmax already.
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
        """Return the loss of each sample, shape (batch,)."""
        log_p = pred if self._from_logits else F.log_softmax(pred, axis=self._axis)
        if self._sparse_label:
            loss = -F.pick(log_p, label, axis=self._axis, keepdims=True)
        else:
            loss = -(log_p * label.reshape_like(log_p)).sum(axis=self._axis, keepdims=True)
        return self._reduced(loss, sample_weight)


SoftmaxCELoss = SoftmaxCrossEntropyLoss


class KLDivLoss(Loss):
    """label (log label - log p), summed over the sample's elements.

    `pred` is log p; with `from_logits` False, p is the softmax of `pred` along `axis`.
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
        """Return the loss of each sample, shape (batch,)."""
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
        """Return the loss of each sample, shape (batch,)."""
        distance = (label.reshape_like(pred) - pred).abs()
        loss = F.where(
            distance > self._rho, distance - 0.5 * self._rho, (0.5 / self._rho) * distance.square()
        )
        return self._reduced(loss, sample_weight)


class HingeLoss(Loss):
    """max(0, margin - pred label), for labels -1 and 1."""

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
        """Return the loss of each sample, shape (batch,)."""
        return self._reduced(self._lack(pred, label), sample_weight)


class SquaredHingeLoss(HingeLoss):
    """max(0, margin - pred label)^2, for labels -1 and 1."""

    def hybrid_forward(
        self, F: Functions, pred: NDArray, label: NDArray, sample_weight: NDArray | None = None
    ) -> NDArray:
        """Return the loss of each sample, shape (batch,)."""
        return self._reduced(self._lack(pred, label).square(), sample_weight)


class LogisticLoss(Loss):
    """log(1 + exp(-pred label)), for labels -1 and 1.

    With `label_format` 'binary' the labels are 0 and 1. Raises ValueError for another format.
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
        """Return the loss of each sample, shape (batch,)."""
        label = label.reshape_like(pred)
        if self._label_format == "signed":
            label = (label + 1.0) / 2.0
        loss = pred.relu() - pred * label + (-pred.abs()).softrelu()
        return self._reduced(loss, sample_weight)


class TripletLoss(Loss):
    """max(0, |positive - pred|^2 - |negative - pred|^2 + margin); squares are summed over a sample."""

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
        """Return the loss of each sample, shape (batch,)."""
        apart = (positive.reshape_like(pred) - pred).square() - (
            negative.reshape_like(pred) - pred
        ).square()
        return self._weighted(
            (apart.sum(axis=self._batch_axis, exclude=True) + self._margin).relu(), sample_weight
        )


class PoissonNLLLoss(Loss):
    """exp(pred) - target pred, averaged over all elements of the batch.

    With `from_logits` False it is pred - target log(pred + epsilon). `compute_full` adds Stirling's
    approximation of log(target!) where target > 1.
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
        """Return one value, shape (1,): the mean over all elements."""
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
    """Connectionist temporal classification: -log p of a label sequence, over all its alignments.

    `pred` holds scores (batch, time, classes) for layout NTC, `label` class indices (batch,
    longest) for NT. The last class is the blank. Labels are padded with -1 unless `label_lengths`
    is given. Raises AssertionError for another layout. Source: Graves et al. 2006.
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
        """Return the loss of each sample, shape (batch,)."""
        scores = pred.transpose((1, 0, 2)) if self._layout == "NTC" else pred
        rows = label.transpose() if self._label_layout == "TN" else label
        use = {
            "use_data_lengths": pred_lengths is not None,
            "use_label_lengths": label_lengths is not None,
        }
        loss = F.CTCLoss(scores, rows, pred_lengths, label_lengths, blank_label="last", **use)
        return self._weighted(loss, sample_weight)


class SDMLLoss(Loss):
    """Smoothed deep metric learning loss (Bonadiman et al. 2019).

    Row i of x1 and row i of x2 form a pair; the loss draws pairs together and other rows apart. It
    is the Kullback-Leibler divergence of the softmax of negative squared distances from the
    identity matrix smoothed by `smoothing_parameter`, summed over each row. x1 and x2 are (batch,
    units).
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
        """Return the loss of each sample, shape (batch,)."""
        count, width = x1.shape
        apart = x1.reshape((count, 1, width)) - x2.reshape((1, count, width))
        log_p = F.log_softmax(-(apart * apart).sum(axis=2), axis=1)
        gold = F.eye(count, ctx=x1.context, dtype=x1.dtype)
        labels = gold * (1 - self._smoothing) + (1 - gold) * self._smoothing / (count - 1)
        divergence: NDArray = self._kl(log_p, labels)
        return divergence


class CosineEmbeddingLoss(Loss):
    """1 - cos(input1, input2) for label 1, max(0, cos(input1, input2) - margin) for label -1."""

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
        """Return the loss of each sample, shape (batch, 1)."""
        product = (input1 * input2).sum(axis=-1).reshape((-1, 1))
        lengths = (input1.norm(axis=-1) * input2.norm(axis=-1)).reshape((-1, 1))
        cosine = product / F.maximum(lengths, TINY)
        label = label.reshape((-1, 1))
        return self._weighted(
            F.where(label == 1, 1 - cosine, F.maximum(cosine - self._margin, 0.0)), sample_weight
        )


if not TYPE_CHECKING:
    ELSEWHERE = {
        "mseloss": "L2Loss",
        "mse": "L2Loss",
        "maeloss": "L1Loss",
        "crossentropyloss": "SoftmaxCrossEntropyLoss",
        "crossentropy": "SoftmaxCrossEntropyLoss",
        "bceloss": "SigmoidBinaryCrossEntropyLoss",
        "bcewithlogitsloss": "SigmoidBinaryCrossEntropyLoss",
    }
    __getattr__ = suggesting(__name__, ELSEWHERE)
