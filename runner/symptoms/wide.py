"""What theory of wide layers says of the activations that a signal meets on its way to the output."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from initlab.engine.errors import OptionError
from initlab.runner.observation.passes import Observation, Stage
from initlab.runner.theory.activations import ACTIVATIONS, RELATIVES
from initlab.runner.theory.meanfield import (
    fixed_point_correlation,
    fixed_point_variance,
    mean_product,
    mean_square,
    slope_mean_square,
)

CONNECTED = ("Dense", "Conv1D", "Conv2D", "Conv3D")
"""Layers whose outputs are sums over `fan_in` inputs, of which theory speaks."""
QUADRATURE = (1e-12, 1e8)
"""Variances between which the means over a normal number are exact."""
CLOSED = (1e-150, 1e150)
"""Those of rectifiers, whose means need no quadrature."""
NEAR = 0.4
"""A variance whose logarithm differs from that of the fixed point by at most this has reached it."""


@dataclass(frozen=True)
class Wide:
    """An activation on the trunk, and the normal numbers that enter it.

    `variance` is theirs, as measured. `weights` is fan_in times the mean square of the weights in
    front of it, `biases` the mean square of the biases; `weights` is None where a normalization lies
    between them, which sets the variance itself.
    """

    path: str
    activation: str
    variance: float
    weights: float | None
    biases: float

    @property
    def widening(self) -> float:
        """The factor of the squared angle between two inputs that are close to each other: the slope
        of the correlation map at 1. Source: Poole et al. 2016 (arXiv:1606.05340).
        """
        steep = slope_mean_square(self.activation, self.variance)
        return steep * self.variance / mean_square(self.activation, self.variance)

    def cosine_after(self, cosine: float) -> float:
        """Return the cosine of two inputs behind the activation, from that in front of the weights."""
        q, shared = self.variance, min(1.0, self.biases / self.variance)
        c = min(1.0, max(-1.0, (1 - shared) * cosine + shared))
        return mean_product(self.activation, q, q, c) / mean_square(self.activation, q)

    @property
    def resting(self) -> float | None:
        """The cosine at which any two inputs end after many layers like this; None where theory has
        none, or where the variance is not that of many such layers.
        """
        if self.weights is None:
            return None
        given = (self.activation, self.weights, self.biases)
        try:
            if abs(math.log(self.variance / fixed_point_variance(*given))) > NEAR:
                return None
            return fixed_point_correlation(*given)
        except (OptionError, ZeroDivisionError):
            return None


def wide_layers(seen: Observation) -> list[Wide]:
    """Return the activations of the trunk that are known, outside containers, in order."""
    inside = tuple(f"{stage.path}." for stage in seen.trunk if stage.container)
    return [one for one in _all(seen) if not one.path.startswith(inside)]


def cosine_by_theory(seen: Observation, entering: float) -> float | None:
    """Return the cosine of two inputs after the last hidden block that independent weights leave, at
    the variances that were measured; None where not every block is one that theory speaks of.
    """
    wide = wide_layers(seen)
    if len(wide) != len(seen.hidden) or any("BatchNorm" in leaf.kind for leaf in seen.leaves):
        return None
    cosine = entering
    for layer in wide:
        cosine = layer.cosine_after(cosine)
    return cosine


def _all(seen: Observation) -> Iterator[Wide]:
    squares = {tensor.path: tensor for tensor in seen.tensors}
    weights, biases = None, 0.0
    for leaf in seen.leaves:
        if leaf.weighted:
            weights, biases = None, 0.0
            weight = squares.get(f"{leaf.path}.weight")
            if leaf.kind in CONNECTED and weight is not None:
                weights = math.prod(weight.shape[1:]) * weight.rms**2
                bias = squares.get(f"{leaf.path}.bias")
                biases = 0.0 if bias is None else bias.rms**2
        elif "Norm" in leaf.kind:
            weights, biases = None, 0.0
        name = RELATIVES.get(leaf.activation or "", leaf.activation)
        variance = _variance(leaf, weights, biases)
        if name not in ACTIVATIONS or variance is None:
            continue
        least, most = CLOSED if ACTIVATIONS[name].homogeneous else QUADRATURE
        if least < variance < most:
            yield Wide(leaf.path, name, variance, weights, biases)


def _variance(leaf: Stage, weights: float | None, biases: float) -> float | None:
    """Return the mean square of what enters the activation of a leaf, None where that is not known."""
    if not leaf.gain or not math.isfinite(leaf.gain) or not math.isfinite(leaf.signal.rms):
        return None
    entered = (leaf.signal.rms / leaf.gain) ** 2
    if not leaf.weighted:
        return entered
    return None if weights is None else weights * entered + biases
