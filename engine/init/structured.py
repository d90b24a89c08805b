"""Initializers of matrices as a whole: orthogonal and identity; and what a position in a network asks for: residual_scaled."""

from __future__ import annotations

import math
from dataclasses import dataclass

from engine import laws
from engine.errors import OptionError
from engine.init.base import Description, Initializer, check_flag, check_number, register


@register
@dataclass(eq=False, repr=False)
class Orthogonal(Initializer):
    """scale times a Haar-distributed orthogonal matrix; further axes are joined to the second (Saxe et al. 2014).

    Through LAPACK the values are the same to a tolerance; with `exact` to the bit, affordable to about 512 x 512.
    """

    scale: float = 1.0
    exact: bool = False

    def check_options(self) -> None:
        """scale > 0."""
        check_number("scale", self.scale, positive=True)
        check_flag("exact", self.exact)

    def law(self, description: Description) -> laws.Law:
        """Haar(scale). LawError for a vector."""
        law = laws.Haar(float(self.scale), self.exact)
        law.check_shape(description.shape)
        return law


@register
@dataclass(eq=False, repr=False)
class Identity(Initializer):
    """gain times the identity; for convolution kernels, at the centre tap."""

    gain: float = 1.0

    def check_options(self) -> None:
        """A finite gain."""
        check_number("gain", self.gain)

    def law(self, description: Description) -> laws.Law:
        """Structured identity. LawError for a vector."""
        law = laws.Structured("identity", float(self.gain))
        law.check_shape(description.shape)
        return law


@register
@dataclass(eq=False, repr=False)
class ResidualScaled(Initializer):
    """N(0, (std / sqrt(2 layers))^2), for the outputs of residual branches (Radford et al. 2019, GPT-2; two branches a layer)."""

    std: float = 0.02
    layers: int = 1

    def check_options(self) -> None:
        """std > 0, layers >= 1."""
        check_number("std", self.std, positive=True)
        if isinstance(self.layers, bool) or not isinstance(self.layers, int) or self.layers < 1:
            raise OptionError("layers", f"must be a whole number of at least 1, got {self.layers!r}")

    def law(self, description: Description) -> laws.Law:
        """Normal(0, std / sqrt(2 layers))."""
        return laws.Normal(0.0, self.std / math.sqrt(2 * self.layers))
