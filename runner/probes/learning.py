"""Learning from minibatches: losses by name, one step of an optimizer, and the changes by a step."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from initlab.engine import autograd, gluon, nd
from initlab.runner.data import Batch
from initlab.runner.probes.base import Subject

if TYPE_CHECKING:
    from initlab.engine.optimizer import Optimizer


def _cross_entropy(scores: nd.NDArray, labels: np.ndarray) -> nd.NDArray:
    """Return -log softmax(scores)[label] for each sample."""
    found: nd.NDArray = gluon.loss.SoftmaxCrossEntropyLoss()(
        scores, nd.array(labels, ctx=scores.context, dtype="int64")
    )
    return found


def _mse(scores: nd.NDArray, labels: np.ndarray) -> nd.NDArray:
    """Return half the mean over scores of (score - target)^2, for each sample.

    The target is 1 for the label and 0 for all other scores.
    """
    targets = labels[..., None] == np.arange(scores.shape[-1])
    found: nd.NDArray = gluon.loss.L2Loss()(
        scores, nd.array(targets, ctx=scores.context, dtype=scores.dtype)
    )
    return found


LOSSES: dict[str, Callable[[nd.NDArray, np.ndarray], nd.NDArray]] = {
    "cross_entropy": _cross_entropy,
    "mse": _mse,
}
"""Name -> function of scores (batch, …, classes) and labels (batch, …) that returns one value for
each sample."""


@dataclass
class Change:
    """One parameter before and after a step, and the gradient of the minibatch's mean loss.

    All arrays have the shape of the parameter.
    """

    gradient: np.ndarray
    before: np.ndarray
    after: np.ndarray


@dataclass
class Step:
    """The result of one minibatch of `count` samples with `labels` labels.

    `loss` is the mean over its samples and `hits` the number of correct predictions, both before
    the update. `gradient_norm` is the norm of the loss's gradient by all parameters; it is None if
    nothing is learned or the loss is not finite, and then there was no update.
    """

    count: int
    labels: int
    loss: float
    hits: int
    gradient_norm: float | None = None
    changes: dict[str, Change] = field(default_factory=dict)
    """Path -> the change by the step, if it was watched."""

    @property
    def diverged(self) -> bool:
        """Whether the loss is not finite."""
        return not math.isfinite(self.loss)

    @property
    def update_ratio(self) -> float | None:
        """The norm of all updates divided by that of all weights before; None if those are 0 or not
        watched.
        """
        size = norm(change.before for change in self.changes.values())
        moved = norm(
            change.after.astype(np.float64) - change.before for change in self.changes.values()
        )
        return moved / size if size > 0 else None


class Learner:
    """Trains a network on the samples of one batch, with an optimizer and a loss of `LOSSES`.

    Losses are computed in float32, or in float64 if the network is float64. Each parameter's
    learning rate is multiplied by its `lr_mult`.
    """

    def __init__(self, subject: Subject, samples: Batch, optimizer: Optimizer, loss: str) -> None:
        self._subject, self._samples, self._loss = subject, samples, LOSSES[loss]
        self.learned = {path: p for path, p in subject.parameters.items() if p.grad_req != "null"}
        """Path -> the parameters that steps change."""
        self._trainer = (
            gluon.Trainer(list(self.learned.values()), optimizer) if self.learned else None
        )

    def step(self, rows: np.ndarray, watch: bool = False) -> Step:
        """Make one step on the samples with these indices; `watch` keeps its changes.

        If the loss is not finite, no parameter changes.
        """
        labels = self._samples.labels
        assert labels is not None
        y = labels[rows]
        with autograd.record():
            scores = self._subject.network(self._subject.on_device(self._samples.inputs[rows]))
            scores = scores.astype("float64" if self._subject.dtype == "float64" else "float32")
            loss = self._loss(scores, y)
        made = Step(
            len(rows),
            y.size,
            float(loss.asnumpy().astype(np.float64).mean()),
            hits(scores.asnumpy(), y),
        )
        if self._trainer is None or made.diverged:
            return made
        loss.backward()
        made.gradient_norm = norm(p.grad().asnumpy() for p in self.learned.values()) / len(rows)
        before: dict[str, tuple[np.ndarray, np.ndarray]] = {}
        if watch:
            before = {
                path: (p.grad().asnumpy().astype(np.float64) / len(rows), p.data().asnumpy())
                for path, p in self.learned.items()
            }
        self._trainer.step(len(rows))
        made.changes = {
            path: Change(*kept, self.learned[path].data().asnumpy())
            for path, kept in before.items()
        }
        return made

    def updates(self, step: Step) -> list[dict[str, object]]:
        """Return a row for each parameter of a watched step.

        It has the rms of gradient, weight before and update, the ratio of update to weight, and
        `lr_mult`.
        """
        rows = []
        for path, change in step.changes.items():
            weight, update = (
                rms(change.before),
                rms(change.after.astype(np.float64) - change.before),
            )
            row: dict[str, object] = {
                "path": path,
                "gradient_rms": rms(change.gradient),
                "weight_rms": weight,
                "update_rms": update,
            }
            row["update_ratio"] = update / weight if weight > 0 else None
            rows.append(row | {"lr_mult": float(self.learned[path].lr_mult)})
        return rows


def hits(scores: np.ndarray, labels: np.ndarray) -> int:
    """Return how many labels have the largest score; if a score is NaN, none has."""
    return int(((scores.argmax(-1) == labels) & ~np.isnan(scores).any(-1)).sum())


def norm(arrays: Iterable[np.ndarray]) -> float:
    """Return the Euclidean norm of all elements of all arrays."""
    return float(np.sqrt(sum(np.square(np.asarray(a, np.float64)).sum() for a in arrays)))


def rms(values: np.ndarray) -> float:
    """Return the root mean square of all elements."""
    return float(np.sqrt(np.square(np.asarray(values, np.float64)).mean()))
