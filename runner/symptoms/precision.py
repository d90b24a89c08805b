"""What the dtype cannot hold."""

from __future__ import annotations

import math
from collections.abc import Iterator

from initlab.runner.observation.ranges import range_of
from initlab.runner.symptoms.base import Examined, Reading, Symptom, register
from initlab.runner.symptoms.scale import Scale

MIXED = "Micikevicius et al. 2018 (arXiv:1710.03740), section 3.2"


@register
class NotFinite(Symptom):
    """A value that is no number."""

    id = "not-finite"
    title = "values that are infinite or NaN"
    why = "Nothing that follows is a number, and no step can repair it."
    source = "IEEE 754"
    scale = Scale(1e-3, 1e-2, 0.1)

    def look(self, given: Examined) -> Iterator[Reading]:
        """Yield each layer and parameter whose values or gradient are not finite, causes first: values
        of parameters, outputs in the order of the layers, gradients from the output back.
        """
        seen = given.seen
        figures = [(tensor.path, "values are", tensor.rms) for tensor in seen.tensors]
        figures += [(stage.path, "output is", stage.signal.largest) for stage in seen.leaves]
        for path, gradient in (
            *((stage.path, stage.signal.gradient) for stage in reversed(seen.leaves)),
            *((tensor.path, tensor.gradient) for tensor in reversed(seen.tensors)),
        ):
            if gradient is not None:
                figures.append((path, "gradient is", gradient))
        for path, what, figure in figures:
            if not math.isfinite(figure):
                yield Reading(path, 1.0, f"its {what} not finite", "finite values")


@register
class NearOverflow(Symptom):
    """Values near the largest number of the dtype."""

    id = "near-overflow"
    title = "the largest value against the dtype's largest"
    why = "The first steps of training move values by factors; what overflows is lost."
    source = MIXED
    scale = Scale(1 / 256, 1 / 8)

    def look(self, given: Examined) -> Iterator[Reading]:
        """Yield the largest output of each layer as a fraction of the dtype's largest number."""
        dtype = given.seen.dtype
        largest = range_of(dtype).largest
        for stage in given.seen.leaves:
            if math.isfinite(stage.signal.largest):
                yield Reading(
                    where=stage.path,
                    figure=stage.signal.largest / largest,
                    measured=f"largest value {stage.signal.largest:.3g} of {largest:.3g} in {dtype}",
                    expected="room of some powers of two",
                )


@register
class GradientUnderflow(Symptom):
    """Gradients below what the dtype holds."""

    id = "gradient-underflow"
    title = "the gradient of the loss against the dtype's smallest normal number"
    why = "Gradients that are rounded to 0 or to a few digits do not add up to a direction."
    source = MIXED
    scale = Scale(1.0, 0.03, 1e-4)
    effect = True

    def look(self, given: Examined) -> Iterator[Reading]:
        """Yield the rms of each weight's gradient in units of the smallest normal number."""
        dtype = given.seen.dtype
        smallest = range_of(dtype).tiny
        for tensor in given.seen.reached:
            if tensor.gradient and math.isfinite(tensor.gradient) and len(tensor.shape) > 1:
                yield Reading(
                    where=tensor.path,
                    figure=tensor.gradient / smallest,
                    measured=f"gradient rms {tensor.gradient:.3g}; {dtype} is exact from {smallest:.3g}",
                    expected="gradients well above it",
                )
