"""The gradient on its way back, and how fast each parameter can move."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

from initlab.runner.observation.passes import Observation, Stage
from initlab.runner.symptoms.base import NETWORK, Examined, Reading, Symptom, register, slope
from initlab.runner.symptoms.scale import Scale

GLOROT = "Glorot and Bengio 2010, section 4.2"
SELF_SIZE = "Bottou, Curtis and Nocedal 2018 (arXiv:1606.04838), section 4"


def flow(seen: Observation) -> list[tuple[Stage, float]]:
    """Return the trunk's hidden stages with the length of the loss's gradient by each, a sample's.

    The length, not the rms, so that stages of different sizes can be compared.
    """
    found = []
    for stage in seen.awake.hidden:
        gradient = stage.signal.gradient
        if gradient is not None and math.isfinite(gradient):
            found.append((stage, gradient * math.sqrt(stage.signal.size)))
    return found


def _with_depth(given: Examined, grows: bool) -> Iterator[Reading]:
    stages = flow(given.seen)
    if len(stages) < 2 or stages[-1][1] == 0:
        return
    first, last = stages[0][1], stages[-1][1]
    factor = slope([s for s, _ in stages], [g for _, g in stages])
    a_block = f", a factor of {1 / factor:.3g} a block on the way back" if factor else ""
    yield Reading(
        where=stages[0][0].path,
        figure=first / last,
        measured=f"the gradient is {first / last:.3g} times as long at the first block as at the last of "
        f"{len(stages)}{a_block}",
        expected="about the same length at every block",
    )


@register
class GradientVanishes(Symptom):
    """The gradient shrinks on its way to the first block."""

    id = "gradient-vanishes"
    title = "the gradient at the first block against the last"
    why = "The first blocks stay as they were drawn while the last ones learn."
    source = GLOROT
    scale = Scale(0.1, 0.03, 3e-3)

    def look(self, given: Examined) -> Iterator[Reading]:
        """Yield the ratio of the gradients' lengths."""
        yield from _with_depth(given, grows=False)


@register
class GradientExplodes(Symptom):
    """The gradient grows on its way to the first block."""

    id = "gradient-explodes"
    title = "the gradient at the first block against the last"
    why = "A learning rate small enough for the first blocks does not move the last ones."
    source = GLOROT
    scale = Scale(30.0, 100.0, 1e3)

    def look(self, given: Examined) -> Iterator[Reading]:
        """Yield the ratio of the gradients' lengths."""
        yield from _with_depth(given, grows=True)


@register
class StandsStill(Symptom):
    """No parameter changes by a visible part of its size in a step of gradient descent."""

    id = "stands-still"
    title = "the largest relative change of a weight by a step of learning rate 1"
    why = "Plain gradient descent at any usual learning rate leaves every weight where it is."
    source = SELF_SIZE
    scale = Scale(0.03, 0.01, 2e-3)

    def look(self, given: Examined) -> Iterator[Reading]:
        """Yield the largest ratio of gradient to weight, over weights."""
        speeds = [
            (tensor.speed, tensor.path)
            for tensor in given.seen.awake.tensors
            if tensor.speed is not None and len(tensor.shape) > 1
        ]
        if not speeds or not all(math.isfinite(speed) for speed, _ in speeds):
            return
        most, path = max(speeds)
        yield Reading(
            where=path,
            figure=most,
            measured=f"the fastest weight changes by {most:.3g} of its size in a step of learning rate 1",
            expected="at least a hundredth",
        )


@register
class Overshoots(Symptom):
    """A weight changes by many times its size in a step of gradient descent."""

    id = "overshoots"
    title = (
        "the largest relative change of a weight by a step of learning rate 1, against usual rates"
    )
    why = "Only a learning rate far below the usual ones leaves the first values standing."
    source = SELF_SIZE
    scale = Scale(30.0, 200.0, 1e3)

    def look(self, given: Examined) -> Iterator[Reading]:
        """Yield the largest ratio of gradient to weight, over weights."""
        for reading in StandsStill().look(given):
            yield replace(reading, expected="at most about 30: a rate of 0.03 then doubles it")


@register
class NoGradient(Symptom):
    """A parameter gets no gradient, not even after the zeros before it have moved."""

    id = "no-gradient"
    title = "parameters whose gradient is 0 and stays 0"
    why = "It keeps its first values for ever."
    source = "the chain rule"
    scale = Scale(1e-9, 0.02, 0.5)

    def look(self, given: Examined) -> Iterator[Reading]:
        """Yield the fraction of all elements without gradient, at the first such parameter."""
        seen = given.seen.awake
        still = [tensor for tensor in seen.tensors if not tensor.gradient]
        if not still:
            return
        total = sum(math.prod(tensor.shape) for tensor in seen.tensors)
        count = sum(math.prod(tensor.shape) for tensor in still)
        unused = all(tensor.gradient is None for tensor in still)
        yield Reading(
            where=still[0].path if len(still) < len(seen.tensors) else NETWORK,
            figure=count / total,
            measured=f"{len(still)} of {len(seen.tensors)} parameters "
            + ("are not used by the loss" if unused else "have a gradient of exactly 0")
            + f", {count / total:.3g} of all elements",
            expected="a gradient for each parameter",
        )
