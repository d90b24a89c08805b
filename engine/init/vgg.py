"""The initializer of VGG networks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from initlab.engine import laws
from initlab.engine.init.base import register
from initlab.engine.init.description import Description
from initlab.engine.init.fan_scaled import FanScaled, He
from initlab.engine.init.random import Normal
from initlab.engine.init.structural import ADVISE, Structural
from initlab.engine.options import Positive


@register
@dataclass(eq=False, repr=False)
class Vgg(Structural, FanScaled):
    """He's normal of fan_out for convolutions, and a small normal for all other weights.

    Formula: N(0, 2 / fan_out) for convolutions, else N(0, sigma^2)

    Source: torchvision, models/vgg.py: `kaiming_normal_` with fan_out, and std 0.01 for linear
    layers.

    Example: initlab init=vgg model=lenet
    """

    sigma: Positive = 0.01
    """The standard deviation of the weights of other layers."""

    def finds(self, parameters: Sequence[Description]) -> str:
        """Ask for a convolution."""
        return "" if any(map(_is_kernel, parameters)) else f"it fills no convolution - {ADVISE}"

    def law(self, description: Description) -> laws.Law:
        """Return the law of a convolution, or that of another weight."""
        if _is_kernel(description):
            return He(mode="out", fans=self.fans).law(description)
        return Normal(self.sigma).law(description)


def _is_kernel(description: Description) -> bool:
    """Return whether a weight has spatial axes; without roles, whether it has more than two axes."""
    if description.roles is None:
        return len(description.shape) > 2
    return "spatial" in description.roles
