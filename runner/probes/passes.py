"""The probes with at most one pass of one batch: none, forward, and forward and backward."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from initlab.engine import nd
from initlab.engine.streams import Key, Stream
from initlab.runner.probes.base import Probe, Subject, Trace, check_scores, register
from initlab.runner.probes.watching import LAYER_COLUMNS, moments, watch

LABELS_PATH = "@labels"


@register
@dataclass
class None_(Probe):
    """Sends nothing through the network and measures nothing.

    Example: initlab probe=none
    """

    gives: ClassVar[dict[str, tuple[str, ...]]] = {}
    former: ClassVar[tuple[str, bool] | None] = None

    def measure(self, subject: Subject) -> Trace:
        """Return an empty trace."""
        return Trace()


@register
@dataclass
class Forward(Probe):
    """One forward pass; every layer's output is measured.

    Example: initlab probe=forward probe.mode=predict
    """

    gives: ClassVar[dict[str, tuple[str, ...]]] = {
        "layers": LAYER_COLUMNS,
        "figures": ("output_rms",),
    }
    former: ClassVar[tuple[str, bool] | None] = ("predict", False)

    def measure(self, subject: Subject) -> Trace:
        """Return the trace, with `output_rms`."""
        trace = Trace()
        with watch(subject.layers, trace.layers), subject.measuring():
            output = subject.network(subject.inputs())
        trace.figures["output_rms"] = moments(output.asnumpy())["rms"]
        return trace


@register
@dataclass
class Backward(Probe):
    """A forward pass, the softmax cross-entropy, and its gradient.

    The loss is the mean over the batch, in float32. Scores are the output's last axis; there is one
    label for each sample or each position. If the data has no labels, they are drawn from the
    stream at `@labels`.

    Example: initlab probe=backward data=digits model.input=[64]
    """

    gives: ClassVar[dict[str, tuple[str, ...]]] = {
        "layers": LAYER_COLUMNS,
        "gradients": ("rms", "max_abs"),
        "figures": ("loss", "accuracy", "output_rms"),
    }
    former: ClassVar[tuple[str, bool] | None] = ("train", True)

    def check(self, output: tuple[int, ...], classes: int | None, labels: tuple[int, ...]) -> None:
        """Raise ConfigError unless the output holds scores."""
        check_scores(self.kind, output, classes, labels)

    def labels(self, subject: Subject, scores: tuple[int, ...]) -> np.ndarray:
        """Return a class index for each vector of scores."""
        *positions, classes = scores
        if subject.batch.labels is not None:
            return subject.batch.labels
        drawn = Stream(Key(subject.seed, LABELS_PATH)).integers(0, classes, int(np.prod(positions)))
        return np.asarray(drawn, np.int64).reshape(positions)

    def measure(self, subject: Subject) -> Trace:
        """Return the trace, with `loss`, `output_rms`, `accuracy` and a gradient row for each
        parameter.
        """
        trace = Trace()
        with subject.measuring(record=True, former="train"):
            with watch(subject.layers, trace.layers):
                output = subject.network(subject.inputs())
            labels = self.labels(subject, output.shape)
            picked = nd.pick(
                nd.log_softmax(output.astype("float32")),
                nd.array(labels, ctx=subject.device, dtype="int64"),
            )
            loss = -nd.mean(picked)
        if any(parameter.grad_req != "null" for parameter in subject.parameters.values()):
            loss.backward()
        scores = output.asnumpy().astype(np.float64)
        trace.figures["loss"] = float(loss.asnumpy().astype(np.float64).ravel()[0])
        trace.figures["accuracy"] = float((scores.argmax(-1) == labels).mean())
        trace.figures["output_rms"] = moments(scores)["rms"]
        for path, parameter in subject.parameters.items():
            if parameter.grad_req != "null":
                gradient = parameter.grad().asnumpy().astype(np.float64)
                trace.gradients.append(
                    {
                        "path": path,
                        "rms": moments(gradient)["rms"],
                        "max_abs": float(np.abs(gradient).max()),
                    }
                )
        return trace
