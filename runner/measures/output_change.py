"""The change of each layer's output by a few steps of training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np

from initlab.engine import autograd, gluon, nd
from initlab.engine.optimizer import REGISTRY as OPTIMIZERS
from initlab.engine.options import Count, Positive, choice
from initlab.runner.errors import ConfigError
from initlab.runner.measures.base import (
    Findings,
    Measure,
    forward,
    outputs,
    register,
    restoring,
    wide,
)
from initlab.runner.probes import Subject, check_scores


@register
@dataclass
class OutputChange(Measure):
    """How far a few optimizer steps on the batch move each layer's output.

    The loss is the mean softmax cross-entropy. The first values are restored.

    Formula: rms(h_after - h_before), and its ratio to rms(h_before)

    Source: Yang and Hu, "Tensor Programs V", 2022 (arXiv:2203.03466), appendix D.1: the coordinate
    check.

    Example: initlab measure=[output_change] measure.output_change.optimizer=adam data=digits model.input=[64]
    """

    gives: ClassVar[dict[str, tuple[str, ...]]] = {
        "layers": ("output_change", "output_change_ratio")
    }
    steps: Count = 1
    """How many steps."""
    optimizer: Annotated[str, choice(OPTIMIZERS)] = "sgd"
    """One of the engine's optimizers."""
    learning_rate: Positive = 0.1
    """The factor of a step."""

    def check(
        self,
        output: tuple[int, ...],
        classes: int | None,
        labels: tuple[int, ...],
        whole_numbers: bool,
    ) -> None:
        """Raise ConfigError if there are no labels, or no scores for them."""
        if classes is None:
            raise ConfigError.of("", "output_change needs data with labels, like digits")
        check_scores(self.kind, output, classes, labels)

    def measure(self, subject: Subject) -> Findings:
        """Return rows with `output_change` and `output_change_ratio`.

        `output_change` is the rms of the difference; the ratio divides it by the rms before.
        """
        x = subject.inputs()
        before = self._outputs(subject, x)
        with restoring(subject):
            self._train(subject, x)
            after = self._outputs(subject, x)
        rows = []
        for path, values in before.items():
            change = float(np.sqrt(np.square(after[path] - values).mean()))
            rms = float(np.sqrt(np.square(values).mean()))
            rows.append(
                {
                    "path": path,
                    "output_change": change,
                    "output_change_ratio": change / rms if rms > 0 else None,
                }
            )
        return {"layers": rows}

    def _outputs(self, subject: Subject, x: nd.NDArray) -> dict[str, np.ndarray]:
        with outputs(subject.layers) as found:
            forward(subject, x)
        return {path: wide(call.output) for path, call in found.items()}

    def _train(self, subject: Subject, x: nd.NDArray) -> None:
        learned = [p for p in subject.parameters.values() if p.grad_req != "null"]
        if not learned:
            return
        assert subject.batch.labels is not None
        trainer = gluon.Trainer(learned, self.optimizer, {"learning_rate": self.learning_rate})
        loss_of = gluon.loss.SoftmaxCrossEntropyLoss()
        labels = nd.array(subject.batch.labels, ctx=subject.device, dtype="int64")
        for _ in range(self.steps):
            with autograd.record():
                loss = loss_of(subject.network(x).astype("float32"), labels)
            loss.backward()
            trainer.step(x.shape[0])
