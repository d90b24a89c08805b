"""The gradient on its way back, and how fast each parameter can move."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise

from initlab.runner.observation.passes import Observation, Stage, Tensor
from initlab.runner.symptoms.base import NETWORK, Examined, Reading, Symptom, register, slope
from initlab.runner.symptoms.first_values import NEXT_TO_ZERO, gates, leaving_zero, usual_size
from initlab.runner.symptoms.normalized import normalized
from initlab.runner.symptoms.scale import Scale

GLOROT = "Glorot and Bengio 2010, section 4.2"
SAMPLES = 32
"""The minibatch of the study."""
RIGHT_UPDATE = 0.05
"""The relative change of the fastest weight by a step at which most networks of the study train well."""
SELF_SIZE = "Bottou, Curtis and Nocedal 2018 (arXiv:1606.04838), section 4"


def flow(seen: Observation) -> list[tuple[Stage, float]]:
    """Return the trunk's hidden stages with the length of the loss's gradient by each, a sample's.

    The length, not the rms, so that stages of different sizes can be compared. Stages without a finite
    gradient are left out. What a layer that soon leaves zero does to the gradient is left out too. So
    is what the first normalization does by giving the signal another size: a gradient by what is
    divided is as many times longer, and a step moves it as far. The gates of a recurrent layer count as 1.
    """
    stages = [
        (stage, stage.signal.gradient * math.sqrt(stage.signal.size))
        for stage in seen.awake.hidden
        if stage.signal.gradient is not None and math.isfinite(stage.signal.gradient)
    ]
    leaving, ends = leaving_zero(seen), normalized(seen)
    anew = next((stage.path for stage, _ in stages if stage.path in ends), None)
    found, factor = stages[-1:], 1.0
    for (before, length), (stage, behind) in reversed(list(pairwise(stages))):
        if stage.path in leaving and length > 0 and behind > 0:
            factor *= behind / length
        factor /= gates(seen, stage)
        if stage.path == anew:
            factor *= (stages[0][0].signal.rms / stage.signal.rms) if stage.signal.rms else 1.0
        found.append((before, length * factor))
    return found[::-1]


def fastest(seen: Observation) -> tuple[float, str] | None:
    """Return the largest relative change of a weight by a step of learning rate 1, and its path.

    Weights that are drawn as zero are left out, as any step is large for them; those next to zero count
    with the least size that is not. None without weights, or if a gradient is not finite.
    """
    drawn = {tensor.path: tensor for tensor in seen.tensors if tensor.rms > 0}
    speeds = [
        (
            tensor.gradient / max(drawn[tensor.path].rms, NEXT_TO_ZERO * usual_size(tensor)),
            tensor.path,
        )
        for tensor in seen.reached
        if tensor.gradient is not None and len(tensor.shape) > 1 and tensor.path in drawn
    ]
    return max(speeds) if speeds and all(math.isfinite(speed) for speed, _ in speeds) else None


def _leaves_zero(tensor: Tensor) -> bool:
    """Return whether a weight is drawn as zero and has a gradient, so that any step moves it."""
    return len(tensor.shape) > 1 and tensor.rms == 0 and bool(tensor.gradient)


def _with_depth(given: Examined) -> Iterator[Reading]:
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
    effect = True

    def look(self, given: Examined) -> Iterator[Reading]:
        """Yield the ratio of the gradients' lengths."""
        yield from _with_depth(given)


@register
class GradientExplodes(Symptom):
    """The gradient grows on its way to the first block."""

    id = "gradient-explodes"
    title = "the gradient at the first block against the last"
    why = "A learning rate small enough for the first blocks does not move the last ones."
    source = GLOROT
    scale = Scale(30.0, 100.0, 1e3)
    effect = True

    def look(self, given: Examined) -> Iterator[Reading]:
        """Yield the ratio of the gradients' lengths."""
        yield from _with_depth(given)


@register
class StandsStill(Symptom):
    """No parameter changes by a visible part of its size in a step of gradient descent."""

    id = "stands-still"
    title = (
        "the largest relative change of a weight by a step of learning rate 1, or of a tenth of the classes "
        "if they are more than ten"
    )
    why = "Plain gradient descent at any usual learning rate leaves every weight where it is."
    source = SELF_SIZE
    scale = Scale(0.03, 0.01, 2e-3)
    effect = True

    def look(self, given: Examined) -> Iterator[Reading]:
        """Yield the largest ratio of gradient to weight, over weights.

        The learning rate is 1 for ten classes, and grows with their number: the curvature of the
        softmax cross-entropy of equal scores is about 1 / classes.
        """
        found = fastest(given.seen)
        if found is not None and not any(_leaves_zero(tensor) for tensor in given.seen.tensors):
            speed, path = found
            rate = max(1.0, (given.seen.classes or 10) / 10)
            figure = speed * rate
            yield Reading(
                where=path,
                figure=figure,
                measured=f"the fastest weight changes by {figure:.3g} of its size in a step of learning "
                f"rate {rate:.3g}{', a tenth of the classes' if rate > 1 else ''}",
                expected=f"at least {self.scale.odd:.3g}",
            )


@register
class Overshoots(Symptom):
    """A weight changes by many times its size in a step of gradient descent."""

    id = "overshoots"
    title = "the largest relative change of a weight by a step of learning rate 1"
    why = "Only a learning rate far below the usual ones leaves the first values standing."
    source = SELF_SIZE
    scale = Scale(30.0, 500.0, 1e3)
    effect = True

    def look(self, given: Examined) -> Iterator[Reading]:
        """Yield the largest ratio of gradient to weight, over weights, as for a batch of 32 samples.

        The gradients of fewer samples do not cancel yet: they are up to the root of the ratio longer.
        """
        found = fastest(given.seen)
        if found is not None:
            speed, path = found
            speed *= math.sqrt(min(1.0, given.seen.batch / SAMPLES))
            yield Reading(
                where=path,
                figure=speed,
                measured=f"the fastest weight changes by {speed:.3g} times its size in a step of learning "
                "rate 1",
                expected="at most about 30: a rate of 0.03 then doubles it",
            )


@register
class UpdateTooLarge(Symptom):
    """A first update that exceeds the weight's own size at the declared learning rate."""

    id = "update-too-large"
    title = "the largest relative change of a weight by the first step of the declared optimizer"
    why = "After one such step the first values are gone, and with them what they were chosen for."
    source = SELF_SIZE
    scale = Scale(0.2, 0.5, 3.0)

    def look(self, given: Examined) -> Iterator[Reading]:
        """Yield the largest ratio of update to weight, over weights that are not drawn as zero."""
        weights = {tensor.path for tensor in given.seen.tensors if len(tensor.shape) > 1}
        found = [
            (float(row["update_ratio"]), str(row["path"]))
            for row in given.updates
            if row["path"] in weights and row["update_ratio"] is not None
        ]
        if not found:
            return
        figure, path = max(found)
        at = "" if given.rate is None else f" at learning rate {given.rate:g}"
        lower = (
            None if given.rate is None else given.rate * RIGHT_UPDATE / figure if figure else None
        )
        yield Reading(
            where=path,
            figure=figure,
            measured=f"the first step changes the weight by {figure:.3g} times its size{at}",
            expected="0.01 to 0.1 of its size",
            instead=None if lower is None else (f"probe.learning_rate={lower:.1g}",),
        )


@register
class NoGradient(Symptom):
    """A parameter gets no gradient, not even after the zeros before it have moved."""

    id = "no-gradient"
    title = "parameters whose gradient is 0 and stays 0"
    why = "Such a parameter keeps its first values for ever."
    source = "Goodfellow, Bengio and Courville 2016, Deep Learning, section 6.5"
    scale = Scale(1e-9, 0.02, 0.5)
    effect = True

    def look(self, given: Examined) -> Iterator[Reading]:
        """Yield the fraction of all elements without gradient, at the first such parameter."""
        tensors = given.seen.reached
        still = [tensor for tensor in tensors if not tensor.gradient]
        if not still:
            return
        total = sum(math.prod(tensor.shape) for tensor in tensors)
        count = sum(math.prod(tensor.shape) for tensor in still)
        unused = all(tensor.gradient is None for tensor in still)
        yield Reading(
            where=still[0].path if len(still) < len(tensors) else NETWORK,
            figure=count / total,
            measured=f"{len(still)} of {len(tensors)} parameters "
            + ("are not used by the loss" if unused else "have a gradient of exactly 0")
            + f", {count / total:.3g} of all elements",
            expected="a gradient for each parameter",
        )
