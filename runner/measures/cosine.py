"""The similarity of two inputs after each layer."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, ClassVar, Optional

import numpy as np

from initlab.engine import nd
from initlab.engine.options import Count, Rule, within
from initlab.engine.streams import Key, Stream
from initlab.runner.errors import ConfigError
from initlab.runner.measures.base import (
    Findings,
    Measure,
    before_activation,
    forward,
    outputs,
    register,
    wide,
)
from initlab.runner.probes import Subject

PATH = "@cosine"
cosine = Rule("be a cosine, between -1 and 1", within(-1, 1).fits).or_null(
    ", or null for the batch's own samples"
)


@register
@dataclass
class Cosine(Measure):
    """The cosine of the angle between two inputs, layer by layer.

    In train mode with batch normalization, the batch's other samples pass through the network
    beside them.

    Formula: u v / (|u| |v|)

    Source: Poole et al., "Exponential expressivity in deep neural networks through transient
    chaos", 2016 (arXiv:1606.05340).

    Example: initlab measure=[cosine] measure.cosine.start=0.5 model=deep_mlp
    """

    gives: ClassVar[dict[str, tuple[str, ...]]] = {"layers": ("cosine", "pre_cosine")}
    start: Annotated[Optional[float], cosine] = None
    """The cosine of normal inputs of length sqrt(n), drawn from the stream at @cosine; null: the
    batch's own neighbours are compared.
    """
    pairs: Count = 1
    """How many pairs of inputs."""

    def check(
        self,
        output: tuple[int, ...],
        classes: int | None,
        labels: tuple[int, ...],
        whole_numbers: bool,
    ) -> None:
        """Raise ConfigError if there are too few samples, or if `start` is given for token inputs."""
        if self.start is None and output[0] < 2 * self.pairs:
            said = (
                f"{self.pairs} pairs of neighbours need a batch of {2 * self.pairs}, got {output[0]} - "
                "raise data.batch, or give start"
            )
            raise ConfigError.of("", said)
        if whole_numbers and self.start is not None:
            said = "inputs that are token numbers have no angle to start from - set start to null"
            raise ConfigError.of("", said)

    def measure(self, subject: Subject) -> Findings:
        """Return the mean cosine over the pairs, after each layer and before its activation."""
        inputs, count = self._inputs(subject), 2 * self.pairs
        if subject.couples:
            rest = subject.batch.inputs[count if self.start is None else 0 :]
            inputs = np.concatenate([inputs, rest])
        with outputs(subject.layers) as found:
            forward(subject, subject.on_device(inputs))
        return {
            "layers": [
                {
                    "path": path,
                    "cosine": mean_cosine(call.output[:count]),
                    "pre_cosine": mean_cosine(
                        before_activation(call, subject.layers[path])[:count]
                    ),
                }
                for path, call in found.items()
            ]
        }

    def _inputs(self, subject: Subject) -> np.ndarray:
        """Return inputs (2 pairs, *sample shape) in which neighbours are a pair."""
        batch = subject.batch.inputs
        if self.start is None:
            return batch[: 2 * self.pairs]
        size = math.prod(batch.shape[1:])
        drawn = (
            Stream(Key(subject.seed, PATH))
            .normal(0.0, 1.0, 2 * self.pairs * size)
            .astype(np.float64)
            .reshape(self.pairs, 2, size)
        )
        made = np.empty_like(drawn)
        for (u, v), pair in zip(drawn, made, strict=True):
            u = u / np.linalg.norm(u)
            v = v - (u @ v) * u
            v = v / np.linalg.norm(v)
            pair[0], pair[1] = u, self.start * u + math.sqrt(1 - self.start**2) * v
        return np.asarray(made * math.sqrt(size), np.float32).reshape(
            2 * self.pairs, *batch.shape[1:]
        )


def mean_cosine(output: nd.NDArray) -> float:
    """Return the mean cosine over pairs of neighbours along the first axis; NaN if a vector is 0."""
    flat = wide(output).reshape(-1, 2, math.prod(output.shape[1:]))
    dots = (flat[:, 0] * flat[:, 1]).sum(1)
    lengths = np.sqrt(np.square(flat).sum(2)).prod(1)
    with np.errstate(all="ignore"):
        return float(np.mean(dots / lengths))
