"""Backpropagation: gradients of a random linear function of the output, through all layers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

from initlab.engine import autograd, nd
from initlab.engine.streams import Key, Stream
from initlab.runner.measures.base import Findings, Measure, outputs, register, wide
from initlab.runner.probes import Subject, moments

PATH = "@backprop"


@register
@dataclass
class Backprop(Measure):
    """One backward pass in predict mode, from standard normal gradients at the output (drawn from
    the stream at `@backprop`).

    `chi1` estimates the factor of a squared gradient a layer: Schoenholz et al. 2017
    (arXiv:1611.01232).
    """

    gives: ClassVar[dict[str, tuple[str, ...]]] = {"layers": ("grad_rms", "grad_ratio", "chi1")}

    def measure(self, subject: Subject) -> Findings:
        """Return rows with `grad_rms`, `grad_ratio` and `chi1` for each layer.

        `grad_rms` is that of the gradient by the layer's output; `grad_ratio` divides it by that of
        the next row, and `chi1` is the square of this.
        """
        with autograd.record(train_mode=False), outputs(subject.layers) as found:
            result = subject.network(subject.inputs())
        drawn = (
            Stream(Key(subject.seed, PATH))
            .normal(0.0, 1.0, math.prod(result.shape))
            .reshape(result.shape)
        )
        head = nd.array(drawn, ctx=subject.device, dtype=result.dtype)
        rows: list[dict[str, Any]] = []
        gradients = autograd.inner_gradients(result, list(found.values()), head)
        for path, gradient in zip(found, gradients, strict=True):
            rows.append(
                {
                    "path": path,
                    "grad_rms": None if gradient is None else moments(wide(gradient))["rms"],
                }
            )
        for row, following in zip(rows, [*rows[1:], {}], strict=True):
            here, there = row["grad_rms"], following.get("grad_rms")
            row["grad_ratio"] = here / there if here is not None and there else None
            row["chi1"] = None if row["grad_ratio"] is None else row["grad_ratio"] ** 2
        return {"layers": rows}
