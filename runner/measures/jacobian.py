"""Singular values of the whole network's Jacobian."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from initlab.engine import autograd, nd
from initlab.engine.options import Count
from initlab.runner.errors import ConfigError
from initlab.runner.measures.base import Findings, Measure, register, wide
from initlab.runner.probes import Subject

AT_ONCE = 512
"""Outputs whose gradients are computed in one backward pass."""


@register
@dataclass
class Jacobian(Measure):
    """Singular values of the derivative of the flattened output by the flattened input.

    In train mode with batch normalization that is the sample's output in its batch, which costs a
    backward pass for each output.

    Formula: variance is that of the eigenvalues of J J^T over the square of their mean

    Source: Pennington, Schoenholz and Ganguli, "Resurrecting the sigmoid in deep learning through
    dynamical isometry", 2017 (arXiv:1711.04735).

    Example: initlab measure=[jacobian] measure.jacobian.samples=2
    """

    gives: ClassVar[dict[str, tuple[str, ...]]] = {
        "jacobian": (
            "mean",
            "mean_square",
            "log_mean",
            "variance",
            "largest",
            "smallest",
            "condition",
        )
    }
    samples: Count = 1
    """At how many of the batch's first samples."""

    def check(
        self,
        output: tuple[int, ...],
        classes: int | None,
        labels: tuple[int, ...],
        whole_numbers: bool,
    ) -> None:
        """Raise ConfigError for token inputs, which have no derivative, and for too few samples."""
        if whole_numbers:
            raise ConfigError.of("", "there is no derivative by inputs that are token numbers")
        if output[0] < self.samples:
            said = (
                f"{self.samples} samples need a batch of as many, got {output[0]} - raise data.batch or "
                "lower measure.jacobian.samples"
            )
            raise ConfigError.of("", said)

    def measure(self, subject: Subject) -> Findings:
        """Return a row for each sample; a matrix has as many singular values as its shorter side."""
        return {
            "jacobian": [
                {"path": str(i), **figures(jacobian(subject, i))} for i in range(self.samples)
            ]
        }


def jacobian(subject: Subject, index: int) -> np.ndarray:
    """Return the derivative at a sample of the batch as a matrix (outputs, inputs) in float64."""
    if subject.couples:
        return _in_batch(subject, index)
    sample = subject.batch.inputs[index]
    rows: list[np.ndarray] = []
    size = None
    while size is None or len(rows) * AT_ONCE < size:
        count = AT_ONCE if size is None else min(AT_ONCE, size - len(rows) * AT_ONCE)
        x, y = _recorded(subject, np.repeat(sample[None], count, axis=0))
        size = math.prod(y.shape[1:])
        start = len(rows) * AT_ONCE
        head = np.zeros((count, size), np.float32)
        chosen = np.arange(min(count, size - start))
        head[chosen, start + chosen] = 1
        gradient = _gradient(x, y, head)
        rows.append(wide(gradient).reshape(count, -1)[: len(chosen)])
    return np.concatenate(rows)


def _in_batch(subject: Subject, index: int) -> np.ndarray:
    """Return the derivative of a sample's output by its input, with the batch's other samples."""
    x, y = _recorded(subject, subject.batch.inputs)
    rows = []
    for number in range(math.prod(y.shape[1:])):
        head = np.zeros((len(y), math.prod(y.shape[1:])), np.float32)
        head[index, number] = 1
        rows.append(wide(_gradient(x, y, head, retain=True)[index]).ravel())
    return np.stack(rows)


def _recorded(subject: Subject, inputs: np.ndarray) -> tuple[nd.NDArray, nd.NDArray]:
    """Return samples as a variable, and the network's output for them, on the tape."""
    x = subject.on_device(inputs)
    x.attach_grad()
    with subject.measuring(record=True):
        return x, subject.network(x)


def _gradient(x: nd.NDArray, y: nd.NDArray, head: np.ndarray, retain: bool = False) -> nd.NDArray:
    heads = nd.array(head.reshape(y.shape), ctx=y.context, dtype=y.dtype)
    [gradient] = autograd.grad(y, x, heads, retain_graph=retain, train_mode=False)
    return gradient


def figures(matrix: np.ndarray) -> dict[str, object]:
    """Return the figures of a Jacobian's singular values; NaN if it is not finite."""
    if not np.isfinite(matrix).all():
        return dict.fromkeys(Jacobian.gives["jacobian"], math.nan)
    singular = np.linalg.svd(matrix, compute_uv=False)
    squares = np.square(singular)
    mean_square, smallest = float(squares.mean()), float(singular[-1])
    with np.errstate(divide="ignore"):
        log_mean = float(np.log(singular).mean())
    return {
        "mean": float(singular.mean()),
        "mean_square": mean_square,
        "log_mean": log_mean,
        "variance": float(squares.var()) / mean_square**2 if mean_square > 0 else math.nan,
        "largest": float(singular[0]),
        "smallest": smallest,
        "condition": float(singular[0]) / smallest if smallest > 0 else math.inf,
    }
