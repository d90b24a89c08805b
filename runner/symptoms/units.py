"""Units that carry nothing: silent, saturated, or copies of each other."""

from __future__ import annotations

import math
from collections.abc import Iterator

from initlab.runner.excerpt import counted
from initlab.runner.observation.passes import Stage
from initlab.runner.observation.signals import Signal
from initlab.runner.symptoms.base import Examined, Reading, Symptom, register
from initlab.runner.symptoms.scale import Scale

CHANCE = 0.5
"""How often a healthy relu is 0: for half of the inputs."""


def by_chance(signal: Signal) -> float:
    """Return the fraction of healthy units that may be 0 for every sample by chance: at three standard
    deviations, with samples, and positions, that are independent.
    """
    rate = math.pow(CHANCE, math.prod(signal.shape) / max(1, signal.units))
    return rate + 3 * math.sqrt(rate * (1 - rate) / max(1, signal.units))


def inner(given: Examined) -> list[Stage]:
    """Return all layers but the one whose output is the network's."""
    last = given.seen.trunk[-1].path if given.seen.trunk else None
    return [stage for stage in given.seen.leaves if stage.path != last]


@register
class DeadUnits(Symptom):
    """Units that are 0 for every sample, so that no gradient passes."""

    id = "dead-units"
    title = "units that are 0 for every sample of the batch"
    why = "A relu that is 0 for all samples has no gradient and cannot come back."
    source = "Lu et al. 2019 (arXiv:1903.06733)"
    scale = Scale(0.6, 0.9, 0.999)

    def look(self, given: Examined) -> Iterator[Reading]:
        """Yield the fraction of silent units of each layer, after hidden zeros have moved.

        What chance gives with few samples and few units is no more than half.
        """
        seen = given.seen.awake
        last = seen.trunk[-1].path if seen.trunk else None
        for stage in seen.leaves:
            if stage.path != last and stage.signal.units > 1:
                silent = stage.signal.silent
                yield Reading(
                    where=stage.path,
                    figure=silent if silent > by_chance(stage.signal) else min(silent, CHANCE),
                    measured=f"{stage.signal.silent:.0%} of {stage.signal.units} units are 0 in a batch of "
                    f"{counted(seen.batch, 'sample')}",
                    expected="at most half",
                )


@register
class SaturatedUnits(Symptom):
    """Activations at the flat ends of their range."""

    id = "saturated-units"
    title = "values within 0.5 % of an end of the activation's range"
    why = "There the activation is flat, and the gradient through it is next to 0."
    source = "Glorot and Bengio 2010, section 3"
    scale = Scale(0.5, 0.9, 0.99)

    def look(self, given: Examined) -> Iterator[Reading]:
        """Yield the fraction of saturated values of each layer."""
        for stage in inner(given):
            if stage.signal.saturated is not None:
                yield Reading(
                    where=stage.path,
                    figure=stage.signal.saturated,
                    measured=f"{stage.signal.saturated:.0%} of the values are saturated",
                    expected="few",
                )


@register
class CopiedUnits(Symptom):
    """Units that are equal in signal and gradient: the symmetry between them is not broken."""

    id = "copied-units"
    title = "units that equal another unit in signal and gradient"
    why = "Equal units with equal gradients stay equal: the layer is as narrow as its different units."
    source = "Goodfellow, Bengio and Courville 2016, Deep Learning, section 8.4"
    scale = Scale(0.02, 0.3)

    def look(self, given: Examined) -> Iterator[Reading]:
        """Yield the fraction of copies in each hidden layer, after hidden zeros have moved."""
        seen = given.seen.awake
        last = seen.trunk[-1].path if seen.trunk else None
        for stage in seen.leaves:
            if stage.path != last and stage.weighted:
                yield Reading(
                    where=stage.path,
                    figure=stage.signal.copies,
                    measured=f"{stage.signal.copies:.0%} of {stage.signal.units} units are copies of others",
                    expected="none",
                )
