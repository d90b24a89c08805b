"""Backpropagation: gradients of a random linear function of the output, through all layers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from initlab.engine import autograd, nd
from initlab.engine.streams import Key, Stream
from initlab.runner.measures.base import Findings, Measure, outputs, register, wide
from initlab.runner.probes import Subject, moments
from initlab.runner.probes.watching import Call

PATH = "@backprop"


@register
@dataclass
class Backprop(Measure):
    """One backward pass from standard normal gradients at the output (drawn from the stream at
    `@backprop`), layer by layer.

    Formula: chi1 is the factor of a squared gradient in each layer

    Source: Schoenholz, Gilmer, Ganguli and Sohl-Dickstein, "Deep information propagation", 2017
    (arXiv:1611.01232).

    Example: initlab measure=[backprop] model=deep_mlp
    """

    gives: ClassVar[dict[str, tuple[str, ...]]] = {"layers": ("grad_rms", "grad_ratio", "chi1")}

    def measure(self, subject: Subject) -> Findings:
        """Return rows with `grad_rms`, `grad_ratio` and `chi1` for each layer.

        `grad_rms` is that of the gradient by the layer's output, None if no parameter in front of
        it learns. `grad_ratio` divides it by that of
        the row that receives the output, in a branch's last layer by that of the container; `chi1`
        is the square of this.
        """
        with subject.measuring(record=True), outputs(subject.layers) as found:
            result = subject.network(subject.inputs())
        drawn = (
            Stream(Key(subject.seed, PATH))
            .normal(0.0, 1.0, math.prod(result.shape))
            .reshape(result.shape)
        )
        head = nd.array(drawn, ctx=subject.device, dtype=result.dtype)
        values = [call.output for call in found.values()]
        # Without a parameter that learns in front of it, the output is on no tape.
        none: list[nd.NDArray | None] = [None] * len(values)
        on_tape = result._node is not None
        gradients = autograd.inner_gradients(result, values, head) if on_tape else none
        sizes = {
            path: None if gradient is None else moments(wide(gradient))["rms"]
            for path, gradient in zip(found, gradients, strict=True)
        }
        rows: list[dict[str, Any]] = []
        for path, size in sizes.items():
            after = sizes.get(_receiver(path, found) or "")
            factor = None if size is None or not after else size / after
            rows.append(
                {
                    "path": path,
                    "grad_rms": size,
                    "grad_ratio": factor,
                    "chi1": None if factor is None else factor**2,
                }
            )
        return {"layers": rows}


def _receiver(path: str, found: Mapping[str, Call]) -> str | None:
    """Return the row beside this one that receives its output, else the container that it is in."""
    inside = found[path].role.inside
    beside = (
        other for other, call in found.items() if call.source == path and call.role.inside == inside
    )
    return next(beside, inside)
