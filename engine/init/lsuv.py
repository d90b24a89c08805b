"""An initializer that depends on data."""

from __future__ import annotations

from dataclasses import dataclass

from initlab.engine import laws
from initlab.engine.init.base import Initializer, register
from initlab.engine.init.description import Description
from initlab.engine.init.orthogonal import stacked
from initlab.engine.options import Count, Positive


@register
@dataclass(eq=False, repr=False)
class Lsuv(Initializer):
    """A Haar matrix divided by the standard deviation of its layer's output for a batch, before the
    activation. The division is repeated, layer after layer, until the variance is near enough to 1.

    This class declares the law; the code that has the network and the batch divides. In the runner,
    that is a run before its snapshot.

    Source: Mishkin and Matas, "All you need is a good init", 2016 (arXiv:1511.06422), algorithm 1;
    the defaults are those of the authors' code (LSUVinit).

    Example: initlab init=lsuv init.tolerance=0.05
    """

    tolerance: Positive = 0.1
    """The largest |variance - 1| that is left."""
    iterations: Count = 10
    """The most divisions for a layer."""

    def law(self, description: Description) -> laws.Law:
        """Return DataScaled. Raises ValueError for a vector, LawError for an empty axis."""
        if len(description.shape) < 2:
            raise ValueError(
                f"Lsuv initializer cannot be applied to vector {description.name}. It requires at least 2D."
            )
        law = laws.DataScaled(
            1.0, False, self.tolerance, self.iterations, blocks=stacked(description)
        )
        law.check_shape(description.shape)
        return law
