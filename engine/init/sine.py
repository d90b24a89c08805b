"""The initializer of sine networks."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from initlab.engine import laws
from initlab.engine.init.base import register
from initlab.engine.init.description import Description
from initlab.engine.init.fan_scaled import FanScaled
from initlab.engine.init.patterns import Patterns, check_fit, fits
from initlab.engine.options import Positive


@register
@dataclass(eq=False, repr=False)
class Siren(FanScaled):
    """U(-b, b) with b = 1 / fan_in for the weights that `first` fits, and b = sqrt(6 / fan_in) / w0
    for the others.

    `first` holds regular expressions for whole paths. It is meant for layers sin(w0 (W x + b)); the
    first layer sets the range of frequencies. Biases keep their layers' default. Sitzmann, Martel,
    Bergman, Lindell and Wetzstein, "Implicit neural representations with periodic activation
    functions", 2020, section 3.2; vsitzmann/siren, modules.py, `sine_init` and
    `first_layer_sine_init`.
    """

    w0: Positive = 30.0
    first: Patterns = field(default_factory=list)

    def check(self, paths: Iterable[str]) -> None:
        """Raise OptionErrors with the patterns of `first` that fit no path."""
        check_fit({"first": self.first}, paths)

    def law(self, description: Description) -> laws.Law:
        """Return Uniform(-b, b)."""
        fan = self.fan(description, "in")
        bound = 1 / fan if fits(self.first, description.path) else math.sqrt(6 / fan) / self.w0
        return laws.Uniform(-bound, bound)
