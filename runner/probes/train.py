"""The probe that trains: an optimizer runs on the data's training part; accuracy is measured on its
test part.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice
from itertools import count as counting
from typing import Annotated, Any, ClassVar, Optional

import numpy as np

from initlab.engine import autograd
from initlab.engine.errors import OptionError
from initlab.engine.optimizer import REGISTRY as OPTIMIZERS
from initlab.engine.optimizer import Optimizer, create
from initlab.engine.options import Count, NotNegative, Positive, choice
from initlab.engine.streams import Key, words
from initlab.runner.data import Batch
from initlab.runner.errors import ConfigError
from initlab.runner.probes.base import Probe, Subject, Trace, check_scores, register
from initlab.runner.probes.learning import LOSSES, Learner, Step, hits

ORDER_PATH = "@order"
MOST_AT_ONCE = 512
"""Samples of one forward pass when accuracy is measured."""
OPTIONS = (
    "momentum",
    "wd",
    "beta1",
    "beta2",
    "epsilon",
    "gamma1",
    "gamma2",
    "centered",
    "clip_gradient",
)
"""Options that not all optimizers accept."""


def taken(cls: type[Optimizer]) -> list[str]:
    """Return which of these options an optimizer accepts."""
    names = {
        name for base in (cls, Optimizer) for name in inspect.signature(base.__init__).parameters
    }
    return [option for option in OPTIONS if option in names]


@register
@dataclass
class Train(Probe):
    """Trains: `epochs` over the training part in minibatches of `batch`, or `steps` minibatches.

    The order of samples is drawn from the stream at `@order`. Options that are null have the
    optimizer's default. Data without a test part trains on its one batch. Each epoch, or each step,
    has a row with loss, accuracy, gradient norm, and update over weight; the loss and accuracy of a
    step are those of its minibatch before the step. Training uses BLAS, so its figures are
    reproducible up to rounding, not to the bit.

    Example: initlab probe=train probe.optimizer=adam probe.steps=20 data=digits model.input=[64]
    """

    gives: ClassVar[dict[str, tuple[str, ...]]] = {
        "training": (
            "epoch",
            "step",
            "loss",
            "accuracy",
            "gradient_norm",
            "update_ratio",
            "test_accuracy",
        ),
        "updates": ("gradient_rms", "weight_rms", "update_rms", "update_ratio", "lr_mult"),
        "figures": (
            "loss",
            "first_loss",
            "loss_drop",
            "train_accuracy",
            "test_accuracy",
            "diverged_at",
            "steps_to_target",
        ),
    }
    former: ClassVar[tuple[str, bool] | None] = None
    epochs: Count = 10
    """How often all samples of the training part are used."""
    steps: Optional[Count] = None
    """A number of minibatches that replaces `epochs`."""
    batch: Count = 64
    """The samples of a minibatch."""
    loss: Annotated[str, choice(LOSSES)] = "cross_entropy"
    """The softmax cross-entropy, or half the mean square distance of the scores from 1 for the
    label and 0 for the others (mse).
    """
    target_loss: Optional[Positive] = None
    """A loss; the first step that reaches it is a figure."""
    judged: Optional[Count] = None
    """Accuracies are measured on this many evenly spaced samples of each part; on all if null or if
    there are fewer.
    """
    optimizer: Annotated[str, choice(OPTIMIZERS)] = "sgd"
    """One of the engine's optimizers."""
    learning_rate: NotNegative = 0.1
    """The factor of a step."""
    momentum: Optional[NotNegative] = None
    """Of sgd, nag and others: the part of the last step that is kept."""
    wd: Optional[NotNegative] = None
    """Weight decay."""
    beta1: Optional[NotNegative] = None
    """Of adam and others: the decay of the mean of gradients."""
    beta2: Optional[NotNegative] = None
    """Of adam and others: the decay of the mean of squared gradients."""
    epsilon: Optional[NotNegative] = None
    """Of adam and others: what is added to the root of that mean."""
    gamma1: Optional[NotNegative] = None
    """Of rmsprop: the decay of the mean of squared gradients."""
    gamma2: Optional[NotNegative] = None
    """Of centered rmsprop: the momentum."""
    centered: Optional[bool] = None
    """Of rmsprop: whether the mean gradient is subtracted."""
    clip_gradient: Optional[NotNegative] = None
    """The largest magnitude of a gradient's element."""

    def __post_init__(self) -> None:
        super().__post_init__()
        known = taken(OPTIMIZERS.get(self.optimizer))
        for option in OPTIONS:
            if getattr(self, option) is not None and option not in known:
                raise OptionError(
                    option,
                    f"is no option of {self.optimizer} - set it to null, or use {', '.join(known)}",
                )

    def _make(self) -> Optimizer:
        given = {name: getattr(self, name) for name in OPTIONS}
        chosen = {name: value for name, value in given.items() if value is not None}
        return create(
            self.optimizer, learning_rate=self.learning_rate, multi_precision=False, **chosen
        )

    def check(self, output: tuple[int, ...], classes: int | None, labels: tuple[int, ...]) -> None:
        """Raise ConfigError if there are no labels, or no scores for them."""
        if classes is None:
            raise ConfigError.of("", "train needs data with labels, like digits")
        check_scores(self.kind, output, classes, labels)

    def measure(self, subject: Subject) -> Trace:
        """Return the trace: a row for each epoch or step, `updates` of the first step, and the
        figures.

        `loss` is that of the last row, `first_loss` that of the first minibatch before any step,
        `loss_drop` their difference. `train_accuracy` and, with a test part, `test_accuracy` are
        measured at the end. A loss that is not finite ends the training; `diverged_at` is then the
        number of its step, from 1, else null. With `target_loss`, `steps_to_target` is the number
        of steps after which a minibatch's loss was first at most the target, interpolated in its
        logarithm; null if it never was.
        """
        trace = Trace()
        train, test = subject.training
        judges = None if test is None else self._judges(test)
        learner = Learner(subject, train, self._make(), self.loss)
        losses: list[float] = []
        made: list[Step] = []
        total = self.steps or self.epochs * -(-len(train.inputs) // self.batch)
        for ends, rows in self._schedule(subject.seed, len(train.inputs)):
            step = learner.step(rows, watch=ends or not losses)
            if not losses:
                trace.updates = learner.updates(step)
                step.changes = step.changes if ends else {}
            losses.append(step.loss)
            made.append(step)
            subject.report(len(losses), total, f"loss {step.loss:.4g}")
            if ends or step.diverged:
                now = judges if self.steps in (None, len(losses)) or step.diverged else None
                trace.training.append(
                    self._row(
                        len(trace.training) + 1,
                        made,
                        None if now is None else accuracy(subject, now),
                    )
                )
                made = []
            if step.diverged:
                break
        end = trace.training[-1]
        trace.figures |= {
            "loss": end["loss"],
            "first_loss": losses[0],
            "loss_drop": losses[0] - end["loss"],
        }
        trace.figures["train_accuracy"] = accuracy(subject, self._judges(train))
        if test is not None:
            trace.figures["test_accuracy"] = end["test_accuracy"]
        trace.figures["diverged_at"] = None if math.isfinite(losses[-1]) else len(losses)
        if self.target_loss is not None:
            trace.figures["steps_to_target"] = steps_to(self.target_loss, losses)
        return trace

    def first_updates(self, subject: Subject) -> list[dict[str, Any]]:
        """Return the rows of `updates`, after the first step only."""
        train, _ = subject.training
        _, rows = next(self._schedule(subject.seed, len(train.inputs)))
        learner = Learner(subject, train, self._make(), self.loss)
        return learner.updates(learner.step(rows, watch=True))

    def _judges(self, part: Batch) -> Batch:
        """Return the samples of a part for which accuracy is measured."""
        count = len(part.inputs)
        if self.judged is None or self.judged >= count or part.labels is None:
            return part
        chosen = np.arange(self.judged) * count // self.judged
        return Batch(part.inputs[chosen], part.labels[chosen])

    def _row(self, number: int, made: list[Step], test_accuracy: float | None) -> dict[str, object]:
        """Return the row of an epoch's steps, or of one step."""
        norms = [step.gradient_norm for step in made if step.gradient_norm is not None]
        return {
            "epoch" if self.steps is None else "step": number,
            "loss": sum(step.loss * step.count for step in made) / sum(step.count for step in made),
            "accuracy": sum(step.hits for step in made) / sum(step.labels for step in made),
            "gradient_norm": float(np.mean(norms)) if norms else None,
            "update_ratio": made[-1].update_ratio,
            "test_accuracy": test_accuracy,
        }

    def _schedule(self, seed: int, count: int) -> Iterator[tuple[bool, np.ndarray]]:
        """Yield (whether a row ends with it, indices of the samples) for every step."""
        if self.steps is None:
            for epoch in range(self.epochs):
                yield from self._minibatches(seed, epoch, count)
            return
        endless = chain.from_iterable(self._minibatches(seed, epoch, count) for epoch in counting())
        yield from ((True, rows) for _, rows in islice(endless, self.steps))

    def _minibatches(self, seed: int, epoch: int, count: int) -> Iterator[tuple[bool, np.ndarray]]:
        """Yield (whether it is the epoch's last, indices of the samples); each sample comes once."""
        order = np.argsort(words(Key(seed, ORDER_PATH, epoch), 0, count), kind="stable")
        for start in range(0, count, self.batch):
            yield start + self.batch >= count, order[start : start + self.batch]


def steps_to(target: float, losses: list[float]) -> float | None:
    """Return after how many steps the loss was first at most `target`, interpolated in its
    logarithm.

    `losses[k]` is the loss after k steps.
    """
    for k, loss in enumerate(losses):
        if loss <= target:
            if k == 0 or loss <= 0:
                return float(k)
            return k - 1 + math.log(losses[k - 1] / target) / math.log(losses[k - 1] / loss)
    return None


def accuracy(subject: Subject, part: Batch) -> float:
    """Return the fraction of labels whose score is the largest, in predict mode."""
    assert part.labels is not None
    right = 0
    with autograd.predict_mode():
        for start in range(0, len(part.inputs), MOST_AT_ONCE):
            scores = subject.network(
                subject.on_device(part.inputs[start : start + MOST_AT_ONCE])
            ).asnumpy()
            right += hits(scores, part.labels[start : start + MOST_AT_ONCE])
    return right / part.labels.size
