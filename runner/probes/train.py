"""The probe that trains: some epochs of an optimizer on the data's training part, judged on its test part."""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Optional

import numpy as np

from engine import autograd, gluon, nd
from engine.errors import OptionError
from engine.optimizer import REGISTRY as OPTIMIZERS
from engine.optimizer import Optimizer, create
from engine.registry import advice
from engine.streams import Key, words
from runner.data import Batch
from runner.probes.base import Probe, Subject, Trace, register
from runner.probes.passes import Backward

ORDER_PATH = "@order"
MOST_AT_ONCE = 512
"""Samples that are judged at once."""
OPTIONS = ("momentum", "wd", "beta1", "beta2", "epsilon", "gamma1", "gamma2", "centered", "clip_gradient")
"""What some optimizers take and others do not."""


def taken(cls: type[Optimizer]) -> list[str]:
    """Which of these an optimizer takes."""
    names = {name for base in (cls, Optimizer) for name in inspect.signature(base.__init__).parameters}
    return [option for option in OPTIONS if option in names]


@register
@dataclass
class Train(Probe):
    """`epochs` over the training part in minibatches of `batch`, in an order drawn from the stream at `@order`.

    `optimizer` is one of the engine's (sgd, nag, adam, adamw, rmsprop, adagrad); options that are null are left to it. Data that has no
    test part trains on its one batch. Measures loss, accuracy, gradient norm and update over weight an epoch. Training passes through
    BLAS, so the figures repeat to rounding, not to the bit.
    """

    gives: ClassVar[dict[str, tuple[str, ...]]] = {
        "training": ("epoch", "loss", "accuracy", "gradient_norm", "update_ratio", "test_accuracy"),
        "figures": ("loss", "train_accuracy", "test_accuracy"),
    }
    epochs: int = 10
    batch: int = 64
    optimizer: str = "sgd"
    learning_rate: float = 0.1
    momentum: Optional[float] = None
    wd: Optional[float] = None
    beta1: Optional[float] = None
    beta2: Optional[float] = None
    epsilon: Optional[float] = None
    gamma1: Optional[float] = None
    gamma2: Optional[float] = None
    centered: Optional[bool] = None
    clip_gradient: Optional[float] = None

    def __post_init__(self) -> None:
        for option in ("epochs", "batch"):
            value = getattr(self, option)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise OptionError(option, f"must be a whole number of at least 1, got {value!r}")
        if not (isinstance(self.optimizer, str) and self.optimizer in OPTIMIZERS):
            raise OptionError("optimizer", f"has no '{self.optimizer}' - {advice(str(self.optimizer), OPTIMIZERS.entries())}")
        known = taken(OPTIMIZERS.get(self.optimizer))
        for option in ("learning_rate", *OPTIONS):
            value = getattr(self, option)
            if value is None and option != "learning_rate":
                continue
            if option != "learning_rate" and option not in known:
                raise OptionError(option, f"is nothing that {self.optimizer} takes - set it to null, or use {', '.join(known)}")
            if isinstance(value, bool) != (option == "centered") or not 0 <= value < math.inf:
                raise OptionError(option, f"must be {'true or false' if option == 'centered' else 'a number of at least 0'}, got {value!r}")

    def _make(self) -> Optimizer:
        given = {name: getattr(self, name) for name in OPTIONS}
        chosen = {name: value for name, value in given.items() if value is not None}
        return create(self.optimizer, learning_rate=self.learning_rate, **chosen)

    def check(self, output: tuple[int, ...], classes: int | None, labels: tuple[int, ...]) -> str | None:
        """The loss needs labels, and scores for them."""
        if classes is None:
            return "train needs data with labels, like digits"
        wrong = Backward().check(output, classes, labels)
        return None if wrong is None else wrong.replace("backward needs", "train needs")

    def measure(self, subject: Subject) -> Trace:
        """The trace: a row an epoch, and `loss`, `train_accuracy` and, with a test part, `test_accuracy` at the end."""
        trace = Trace()
        train, test = subject.training
        assert train.labels is not None
        learned = {path: p for path, p in subject.parameters.items() if p.grad_req != "null"}
        trainer = gluon.Trainer(list(learned.values()), self._make()) if learned else None
        loss_of = gluon.loss.SoftmaxCrossEntropyLoss()
        for epoch in range(self.epochs):
            losses, hits, norms = [], 0, []
            before: dict[str, np.ndarray] = {}
            for last, rows in self._minibatches(subject.seed, epoch, len(train.inputs)):
                x, y = subject.on_device(train.inputs[rows]), train.labels[rows]
                with autograd.record():
                    scores = subject.network(x).astype("float32")
                    loss = loss_of(scores, nd.array(y, ctx=subject.device, dtype="int64"))
                losses.append(float(loss.asnumpy().astype(np.float64).mean()) * len(rows))
                hits += int((scores.asnumpy().argmax(-1) == y).sum())
                if trainer is None:
                    continue
                loss.backward()
                norms.append(_norm(p.grad().asnumpy() for p in learned.values()) / len(rows))
                if last:
                    before = {path: p.data().asnumpy() for path, p in learned.items()}
                trainer.step(len(rows))
            row: dict[str, Any] = {"epoch": epoch + 1, "loss": sum(losses) / len(train.inputs), "accuracy": hits / train.labels.size}
            row["gradient_norm"] = float(np.mean(norms)) if norms else None
            moved = _norm(p.data().asnumpy().astype(np.float64) - before[path] for path, p in learned.items())
            size = _norm(before.values())
            row["update_ratio"] = moved / size if size > 0 else None
            row["test_accuracy"] = None if test is None else accuracy(subject, test)
            trace.training.append(row)
        end = trace.training[-1]
        trace.figures |= {"loss": end["loss"], "train_accuracy": accuracy(subject, train)}
        if test is not None:
            trace.figures["test_accuracy"] = end["test_accuracy"]
        return trace

    def _minibatches(self, seed: int, epoch: int, count: int) -> Iterator[tuple[bool, np.ndarray]]:
        """(whether it is the epoch's last, numbers of the samples), every sample once."""
        order = np.argsort(words(Key(seed, ORDER_PATH, epoch), 0, count), kind="stable")
        for start in range(0, count, self.batch):
            yield start + self.batch >= count, order[start : start + self.batch]


def _norm(arrays: Any) -> float:
    """The Euclidean norm of all elements of all arrays."""
    return float(np.sqrt(sum(np.square(np.asarray(a, np.float64)).sum() for a in arrays)))


def accuracy(subject: Subject, part: Batch) -> float:
    """The fraction of labels whose score is the largest, in predict mode."""
    assert part.labels is not None
    hits = 0
    with autograd.predict_mode():
        for start in range(0, len(part.inputs), MOST_AT_ONCE):
            scores = subject.network(subject.on_device(part.inputs[start : start + MOST_AT_ONCE])).asnumpy()
            hits += int((scores.argmax(-1) == part.labels[start : start + MOST_AT_ONCE]).sum())
    return hits / part.labels.size
