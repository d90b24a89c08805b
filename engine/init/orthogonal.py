"""Random orthogonal matrices."""

from __future__ import annotations

from dataclasses import dataclass

from engine import laws
from engine.init.base import Initializer, register
from engine.init.description import Description
from engine.init.options import positive, truth


@register
@dataclass(eq=False, repr=False)
class Orthogonal(Initializer):
    """scale times a Haar matrix: axis 0 against all others, the shorter side orthonormal, every direction equally likely.

    Saxe et al., "Exact solutions to the nonlinear dynamics of learning in deep linear networks", 2014. `exact` draws the same bits on
    every machine, without LAPACK, at a price that is fair up to about 512 x 512. torch: `nn.init.orthogonal_`.
    """

    scale: float = 1.0
    exact: bool = False

    def __post_init__(self) -> None:
        self.scale = positive("scale", self.scale)
        self.exact = truth("exact", self.exact)

    def law(self, description: Description) -> laws.Law:
        """Haar(scale). ValueError for a vector, LawError for an empty axis."""
        if len(description.shape) < 2:
            raise ValueError(f"Orthogonal initializer cannot be applied to vector {description.name}. It requires at least 2D.")
        law = laws.Haar(self.scale, self.exact)
        law.check_shape(description.shape)
        return law
