"""The signal on its way to the output: its size, and whether it still tells inputs apart."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import takewhile

from initlab.runner.excerpt import counted
from initlab.runner.observation.passes import Observation, Stage
from initlab.runner.observation.ranges import range_of
from initlab.runner.symptoms.base import Examined, Reading, Symptom, register, slope
from initlab.runner.symptoms.first_values import gates, leaving_zero, parting, sizes
from initlab.runner.symptoms.normalized import last_normalized
from initlab.runner.symptoms.promise import right_variance
from initlab.runner.symptoms.scale import Scale
from initlab.runner.symptoms.wide import cosine_by_theory, wide_layers

ENDS_WITH_DEPTH = "He et al. 2015 (arXiv:1502.01852), section 2.2"
EQUAL_ANGLE = 1e-6
"""Inputs whose cosine is this near to 1 are equal when they enter."""
ODD_ANGLE = 0.03
"""An angle that is odd, and no more."""
HARMFUL_LOSS, HARMFUL_GROWTH = 0.03, 100.0
"""The parts of its first size at which what a signal comes to is harmful."""
DEEP_INFORMATION = "Schoenholz et al. 2017 (arXiv:1611.01232)"


def cosine_entering(seen: Observation) -> float | None:
    """Return the mean cosine of two inputs; of token numbers, that of what the tables of tokens and
    positions make of them.
    """
    if not seen.tokens:
        return seen.input.cosine
    tables = list(takewhile(lambda stage: "Embedding" in stage.kind, seen.hidden))
    return tables[-1].signal.cosine if tables else None


def path_of_signal(seen: Observation) -> list[Stage]:
    """Return the trunk's stages whose output is no score, and whose rms is a number."""
    return [stage for stage in seen.hidden if math.isfinite(stage.signal.rms)]


def _has_direction(stage: Stage) -> bool:
    """Return whether samples have an angle: a signal of one number differs by its size only."""
    signal = stage.signal
    alive = signal.size * (1 - signal.silent)
    return signal.cosine is not None and alive > 1.5


def _entering(seen: Observation, sizes: list[float], grows: bool) -> tuple[float, str, int]:
    """Return the size against which the signal is measured, its name, and the number of the stage from
    which on it is followed.

    A normalization sets the size anew, whatever it was.
    """
    anew = last_normalized(seen)
    if anew is None and not seen.tokens:
        return seen.input.rms or 1.0, "the input's", 0
    first = min(anew or 0, len(sizes) - 1)
    size = max(1.0, sizes[first]) if grows else min(1.0, sizes[first]) or 1.0
    name = "the embedding's" if anew is None else "the normalization's"
    return size, "1" if size == 1.0 else name, first


def _forecast(dtype: str, factor: float, end: float) -> str:
    """Return in how many more blocks a signal that changes by a factor leaves the dtype; '' for one that
    hardly changes, or is 0.
    """
    if end == 0 or 0.95 <= factor <= 1.05:
        return ""
    ends = range_of(dtype)
    limit, name = (ends.largest, "its largest number") if factor > 1 else (ends.smallest, "0")
    left = max(1, round(abs(math.log(limit / end) / math.log(factor))))
    return f"; {dtype} reaches {name} after about {counted(left, 'more block')}"


def _nearer_to_1(ratio: float, error: float) -> float:
    return max(1.0, ratio - error) if ratio > 1 else min(1.0, ratio + error)


def _weights_that_keep(seen: Observation, grows: bool) -> str:
    """Return in words at which variance the layer that is furthest off would keep the signal; '' where
    theory has none.
    """
    known = [
        (one.weights / right, one, right)
        for one in wide_layers(seen)
        if one.weights and (right := right_variance(one.activation, one.biases))
    ]
    if not known:
        return ""
    _, layer, right = (max if grows else min)(known, key=lambda item: item[0])
    return (
        f": {right:.3g} / fan_in in front of {layer.activation} keeps it, {layer.path} has "
        f"{layer.weights:.3g} / fan_in"
    )


def _with_depth(seen: Observation, grows: bool) -> Iterator[Reading]:
    stages = path_of_signal(seen)
    if not stages:
        return
    leaving = set() if grows else leaving_zero(seen)
    found = [stage.signal.rms for stage in seen.hidden] if grows else sizes(seen, leaving)
    rms = [size for size in found if math.isfinite(size)]
    start, entering, first = _entering(seen, rms, grows)
    ratio, factor = rms[-1] / start, slope(stages[first:], rms[first:])
    at = ""
    if factor is not None:
        at = f", a factor of {factor:.3g} from block to block"
        at += _forecast(seen.dtype, factor, rms[-1]) if (factor > 1) == grows else ""
    without = f", without {', '.join(sorted(leaving))} that soon leaves zero" if leaving else ""
    if not grows and any(gates(seen, stage) < 1 for stage in stages):
        without += " with open gates"
    error = ratio * (stages[-1].signal.error or 0.0)
    spread = f" ± {error:.1g}" if error else ""
    samples = f" in {counted(seen.batch, 'sample')}" if error else ""
    figure = _nearer_to_1(ratio, 2 * error)
    far = figure >= HARMFUL_GROWTH if grows else figure <= HARMFUL_LOSS
    yield Reading(
        where=stages[-1].path,
        figure=figure,
        error=error or None,
        measured=f"rms {rms[-1]:.3g} after {counted(len(stages), 'block')}{without}{samples}, "
        f"{ratio:.3g}{spread} times {entering}{at}",
        expected=f"about as large as {entering}" + (_weights_that_keep(seen, grows) if far else ""),
    )


@register
class SignalVanishes(Symptom):
    """The signal shrinks on its way to the output."""

    id = "signal-vanishes"
    title = "the size of the signal after the last hidden block"
    why = (
        "Scores and gradients shrink with the signal, so that steps of a usual size change nothing."
    )
    source = ENDS_WITH_DEPTH
    scale = Scale(0.2, HARMFUL_LOSS, 3e-3)
    effect = True

    def look(self, given: Examined) -> Iterator[Reading]:
        """Yield the rms after the last hidden block against the input's, nearer to 1 by two errors."""
        yield from _with_depth(given.seen, grows=False)


@register
class SignalExplodes(Symptom):
    """The signal grows on its way to the output."""

    id = "signal-explodes"
    title = "the growth of the signal up to the last hidden block"
    why = "Scores and gradients grow with the signal, so that only tiny steps do not diverge."
    source = ENDS_WITH_DEPTH
    scale = Scale(30.0, HARMFUL_GROWTH, 1e3)
    effect = True

    def look(self, given: Examined) -> Iterator[Reading]:
        """Yield the rms after the last hidden block against the input's, nearer to 1 by two errors."""
        yield from _with_depth(given.seen, grows=True)


@register
class InputsAlike(Symptom):
    """Different inputs become the same signal: rank collapse."""

    id = "inputs-alike"
    title = "the angle between two inputs after the last hidden block"
    why = "What the last layer cannot tell apart, it cannot learn to tell apart."
    source = DEEP_INFORMATION
    scale = Scale(0.1, 0.01, 3e-3)
    effect = True

    def look(self, given: Examined) -> Iterator[Reading]:
        """Yield one minus the mean cosine of two inputs, against what it was at the input, after the last
        block in front of a layer that soon leaves zero. Behind equal units that the gradient tells
        apart it is at most odd.

        What positions do to tokens before the first block is another symptom.
        """
        seen = given.seen
        leaving = leaving_zero(seen)
        stages = list(takewhile(lambda one: one.path not in leaving, path_of_signal(seen)))
        judged = list(takewhile(lambda one: not parting(one), stages))
        for part, least in (
            (judged, 0.0),
            (stages if stages[len(judged) + 1 :] else [], ODD_ANGLE),
        ):
            part = [stage for stage in part if _has_direction(stage)]
            if part and not (seen.input.cosine is not None and seen.input.cosine > 1 - EQUAL_ANGLE):
                yield self._reading(seen, part, least)

    def _reading(self, seen: Observation, stages: list[Stage], least: float) -> Reading:
        last = stages[-1]
        assert last.signal.cosine is not None
        entered = cosine_entering(seen)
        before = 1.0 if entered is None else max(1 - entered, EQUAL_ANGLE)
        figure = max(least, max(0.0, 1 - last.signal.cosine) / min(1.0, before))
        theory = None
        if entered is not None and figure <= self.scale.odd and last is seen.hidden[-1]:
            theory = cosine_by_theory(seen, entered)
        return Reading(
            where=last.path,
            figure=figure,
            measured=f"cosine of two inputs {last.signal.cosine:.7g} after {counted(len(stages), 'block')}",
            expected="a cosine that stays away from 1"
            if entered is None
            else f"about the input's own {entered:.3g}"
            + ("" if theory is None else f"; independent weights of this size leave {theory:.7g}"),
        )
