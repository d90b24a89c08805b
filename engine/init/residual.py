"""Initializers for the outputs of residual branches."""

from __future__ import annotations

import math
from dataclasses import dataclass

from engine import laws
from engine.init.base import Initializer, register
from engine.init.description import Description
from engine.init.options import positive, positive_integer


@register
@dataclass(eq=False, repr=False)
class ResidualScaled(Initializer):
    """N(0, std^2 / (2 layers)), so that the sum over the two branches of each of `layers` blocks does not grow with their number.

    Radford et al., "Language models are unsupervised multitask learners" (GPT-2), 2019, with std 0.02.
    """

    std: float = 0.02
    layers: int = 1

    def __post_init__(self) -> None:
        self.std = positive("std", self.std)
        self.layers = positive_integer("layers", self.layers)

    def law(self, description: Description) -> laws.Law:
        """Normal(0, std / sqrt(2 layers))."""
        return laws.Normal(0.0, self.std / math.sqrt(2 * self.layers))
