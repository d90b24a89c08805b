"""The signal on its way to the output: its size, and whether it still tells inputs apart."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import takewhile

from initlab.runner.excerpt import counted
from initlab.runner.observation.passes import Observation, Stage
from initlab.runner.observation.ranges import range_of
from initlab.runner.symptoms.base import Examined, Reading, Symptom, register, slope
from initlab.runner.symptoms.scale import Scale

ENDS_WITH_DEPTH = "He et al. 2015 (arXiv:1502.01852), section 2.2"
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


def _with_depth(seen: Observation, grows: bool) -> Iterator[Reading]:
    stages = path_of_signal(seen)
    if not stages:
        return
    start = seen.input.rms or 1.0
    if seen.tokens:
        start = max(1.0, stages[0].signal.rms) if grows else min(1.0, stages[0].signal.rms) or 1.0
    rms = [stage.signal.rms for stage in stages]
    last, factor = stages[-1], slope(stages, rms)
    at = f", a factor of {factor:.3g} from block to block" if factor is not None else ""
    if factor is not None and (factor > 1.05 if grows else factor < 0.95):
        ends = range_of(seen.dtype)
        limit = ends.largest if grows else ends.smallest
        left = abs(math.log(limit / last.signal.rms) / math.log(factor)) if last.signal.rms else 0.0
        if last.signal.rms:
            end = "its largest number" if grows else "0"
            at += f"; {seen.dtype} reaches {end} after about {counted(max(1, round(left)), 'more block')}"
    ratio = last.signal.rms / start
    entering = "the input's"
    if seen.tokens:
        entering = "1" if start == 1.0 else "the embedding's"
    yield Reading(
        where=last.path,
        figure=ratio,
        measured=f"rms {last.signal.rms:.3g} after {counted(len(stages), 'block')}, "
        f"{ratio:.3g} times {entering}{at}",
        expected=f"about as large as {entering}",
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
    scale = Scale(0.2, 0.03, 3e-3)

    def look(self, given: Examined) -> Iterator[Reading]:
        """Yield the rms after the last hidden block against the input's."""
        yield from _with_depth(given.seen, grows=False)


@register
class SignalExplodes(Symptom):
    """The signal grows on its way to the output."""

    id = "signal-explodes"
    title = "the growth of the signal up to the last hidden block"
    why = "Scores and gradients grow with the signal, so that only tiny steps do not diverge."
    source = ENDS_WITH_DEPTH
    scale = Scale(30.0, 100.0, 1e3)

    def look(self, given: Examined) -> Iterator[Reading]:
        """Yield the rms after the last hidden block against the input's."""
        yield from _with_depth(given.seen, grows=True)


@register
class InputsAlike(Symptom):
    """Different inputs become the same signal: rank collapse."""

    id = "inputs-alike"
    title = "the angle between two inputs after the last hidden block"
    why = "What the last layer cannot tell apart, it cannot learn to tell apart."
    source = DEEP_INFORMATION
    scale = Scale(0.1, 0.01, 3e-3)

    def look(self, given: Examined) -> Iterator[Reading]:
        """Yield one minus the mean cosine of two inputs, against what it was at the input.

        What positions do to tokens before the first block is another symptom.
        """
        seen = given.seen
        stages = [stage for stage in path_of_signal(seen) if _has_direction(stage)]
        if not stages or (seen.input.cosine is not None and seen.input.cosine > 1 - 1e-6):
            return
        last = stages[-1]
        assert last.signal.cosine is not None
        left = max(0.0, 1 - last.signal.cosine)
        entered = cosine_entering(seen)
        before = 1.0 if entered is None else max(1 - entered, 1e-6)
        yield Reading(
            where=last.path,
            figure=left / min(1.0, before),
            measured=f"cosine of two inputs {last.signal.cosine:.7g} after {counted(len(stages), 'block')}",
            expected="a cosine that stays away from 1"
            if entered is None
            else f"about the input's own {entered:.3g}",
        )
