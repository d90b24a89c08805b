"""Inputs that are close to each other, and become less alike from block to block."""

from __future__ import annotations

import math
from collections.abc import Iterator

from initlab.runner.excerpt import counted
from initlab.runner.observation.passes import Observation
from initlab.runner.symptoms.base import Examined, Reading, Symptom, register
from initlab.runner.symptoms.forward import DEEP_INFORMATION, cosine_entering
from initlab.runner.symptoms.promise import right_variance
from initlab.runner.symptoms.scale import Scale
from initlab.runner.symptoms.wide import Wide, wide_layers

MOST = 2.0
"""The factor of the squared angle up to which one block counts: depth is judged, not one steep block."""


@register
class InputsChaotic(Symptom):
    """Close inputs become unlike: the network is a chaotic map."""

    id = "inputs-chaotic"
    title = "the growth of the angle between two close inputs up to the last hidden block"
    why = (
        "What is learned from one input says nothing of those next to it, and gradients grow alike."
    )
    source = DEEP_INFORMATION
    scale = Scale(5.0, 20.0)
    effect = True

    def look(self, given: Examined) -> Iterator[Reading]:
        """Yield the factor of a small angle by all known activations of the trunk, at the variances that
        were measured.
        """
        wide = wide_layers(given.seen)
        if not wide:
            return
        factors = [one.widening for one in wide]
        growth = math.exp(sum(math.log(min(one, MOST)) for one in factors) / 2)
        steepest = max(zip(factors, wide, strict=True), key=lambda pair: pair[0])[1]
        each = growth ** (1 / len(wide))
        blocks = counted(len(wide), "block")
        yield Reading(
            where=steepest.path,
            figure=growth,
            measured=f"an angle between close inputs grows {growth:.3g}-fold over {blocks}, "
            f"{each:.3g} times a block{_cosines(given.seen)}",
            expected=_expected(steepest) if growth >= self.scale.odd else "about 1",
        )


def _cosines(seen: Observation) -> str:
    """Return the measured cosine of two inputs of the batch after the last hidden block, in words."""
    entered, found = cosine_entering(seen), seen.hidden[-1].signal.cosine if seen.hidden else None
    if entered is None or found is None:
        return ""
    return f"; the cosine of two inputs goes from {entered:.3g} to {found:.3g}"


def _expected(layer: Wide) -> str:
    """Return what theory says of a layer: where it leads, and at which weights angles are kept."""
    name = layer.activation
    if layer.weights is None:
        return f"about 1: a smaller variance than {layer.variance:.2g} in front of {name}"
    said, right = "about 1", right_variance(name, layer.biases)
    if layer.resting is not None:
        said += (
            f": with {layer.weights:.3g} / fan_in in front of {name} all cosines go to "
            f"{layer.resting:.3g}"
        )
    return said if right is None else f"{said}, and at {right:.3g} / fan_in angles are kept"
