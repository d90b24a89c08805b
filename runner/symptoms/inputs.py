"""What enters the network: samples from which nothing can be learned, or that hide what it is."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

from initlab.runner.excerpt import counted
from initlab.runner.symptoms.base import REGISTRY, Examined, Reading, Symptom, register
from initlab.runner.symptoms.forward import DEEP_INFORMATION
from initlab.runner.symptoms.scale import Scale

INPUT = "the input"
AGAINST_INPUT = ("signal-vanishes", "signal-explodes")
"""Symptoms whose figures are measured against the input's size, and so say nothing about it."""
MORE_SAMPLES = ("data.batch=32",)


EQUAL = 1e-6
"""Samples that differ by less than this part of their size are equal in float32."""


def _averaged(given: Examined) -> bool:
    """Return whether the network has batch normalization."""
    return any(stage.averaged for stage in given.seen.leaves)


@register
class InputNotFinite(Symptom):
    """Samples with values that are no numbers."""

    id = "input-not-finite"
    title = "values of the input that are infinite or NaN in the network's dtype"
    why = "What follows from them is no number either."
    source = "IEEE 754"
    scale = Scale(1e-3, 1e-2, 0.1)
    of_input = True
    hides = True

    def look(self, given: Examined) -> Iterator[Reading]:
        """Yield 1 if a value is not finite."""
        samples = given.seen.samples
        if samples is not None and not samples.finite:
            yield Reading(
                where=INPUT,
                figure=1.0,
                measured=f"values that are infinite or NaN in {given.seen.dtype}",
                expected="finite values",
                instead=(),
            )


@register
class InputSaysNothing(Symptom):
    """Samples that are equal, or nearly."""

    id = "input-says-nothing"
    title = "how far samples differ from their mean, against their size"
    why = "A network cannot learn to tell apart what is the same when it enters."
    source = "LeCun et al. 1998, Efficient BackProp, section 4.3"
    scale = Scale(0.3, 0.1, 0.01)
    of_input = True
    hides = True

    def look(self, given: Examined) -> Iterator[Reading]:
        """Yield the spread of the samples. Batch normalization takes away what they have in common, so
        that only equal ones are found before it.
        """
        samples = given.seen.samples
        if samples is None or samples.spread is None or not samples.finite:
            return
        if samples.spread > EQUAL and _averaged(given):
            return
        what = f"{counted(samples.count, 'sample')} differ by {samples.spread:.2g} of their size"
        if samples.rms == 0:
            what = f"every value of {counted(samples.count, 'sample')} is 0"
        elif samples.spread == 0:
            what = f"all {samples.count} samples are equal"
        yield Reading(
            where=INPUT,
            figure=samples.spread,
            measured=what,
            expected="samples that differ about as much as they are large",
            instead=(),
        )


@register
class InputSize(Symptom):
    """Samples of a size that hurts a network which has nothing against usual ones."""

    id = "input-size"
    title = "the size of the input, where the network would be better off at rms 1"
    why = "First weights are made for inputs of about unit size: signal, loss and steps scale with it."
    source = "LeCun et al. 1998, Efficient BackProp, section 4.3"
    scale = Scale(10.0, 100.0)
    of_input = True

    def look(self, given: Examined) -> Iterator[Reading]:
        """Yield the rms, or one over it, if a finding is worse than with the samples divided by it.

        Small inputs are also drowned by the biases that the first steps make, unless there is batch
        normalization. If it makes nothing harmful, the figure is at most one that is odd.
        """
        samples, usual = given.seen.samples, given.seen.usual
        if samples is None or not samples.rms or not usual:
            return
        worst, at_one = _worst(given), _worst(replace(given, seen=usual[0]))
        if worst is None or worst[0] <= max(0.0, at_one[0] if at_one else 0.0):
            if samples.rms > 1 or _averaged(given):
                return
            worst = 1.0, "biases that soon outweigh it"
        figure = max(samples.rms, 1 / samples.rms)
        yield Reading(
            where=INPUT,
            figure=figure if worst[0] >= 1 else min(figure, math.sqrt(10.0 * 100.0)),
            measured=f"rms {samples.rms:.3g}, which makes: {worst[1]}",
            expected="an rms of about 1, at which that is not so",
            instead=(),
        )


def _worst(given: Examined) -> tuple[float, str] | None:
    """Return the worst place that any symptom but those of the input gives, and what it measured."""
    symptoms = (REGISTRY.get(name)() for name in sorted(REGISTRY) if name not in AGAINST_INPUT)
    found = [
        (place, reading.measured)
        for symptom in symptoms
        if not symptom.of_input
        for place, reading in symptom.readings(given)
    ]
    return max(found, default=None)


@register
class SingleSample(Symptom):
    """A batch of one sample."""

    id = "single-sample"
    title = "whether there are two samples to compare"
    why = "Whether inputs become alike, and which units are dead, cannot be seen from one sample."
    source = DEEP_INFORMATION
    scale = Scale(1.0)
    of_input = True

    def look(self, given: Examined) -> Iterator[Reading]:
        """Yield one over the number of samples."""
        yield Reading(
            where=INPUT,
            figure=1 / given.seen.batch,
            measured=f"a batch of {counted(given.seen.batch, 'sample')}",
            expected="at least two, better 32",
            instead=MORE_SAMPLES,
        )


@register
class FewAveraged(Symptom):
    """Batch normalization over so few values that it forgets what they were."""

    id = "few-averaged"
    title = "one over the number of values from which batch normalization takes a mean"
    why = "Of one value it makes 0, of two values -1 and 1, whatever they were, and no gradient passes."
    source = "Wu and He 2018 (arXiv:1803.08494), section 1"
    scale = Scale(1 / 8, 1 / 4, 1.0)
    of_input = True
    hides = True

    def look(self, given: Examined) -> Iterator[Reading]:
        """Yield one over the number of values of each batch normalization."""
        for stage in given.seen.leaves:
            if stage.averaged and math.prod(stage.signal.shape) > 0:
                yield Reading(
                    where=stage.path,
                    figure=1 / stage.averaged,
                    measured=f"a channel is normalized over {counted(stage.averaged, 'value')} in a batch "
                    f"of {counted(given.seen.batch, 'sample')}",
                    expected="at least 16",
                    instead=MORE_SAMPLES,
                )
