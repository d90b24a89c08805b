"""The initializer of sine networks."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Optional

from initlab.engine import laws
from initlab.engine.errors import OptionError
from initlab.engine.init.base import register
from initlab.engine.init.description import Description
from initlab.engine.init.fan_scaled import FanScaled
from initlab.engine.init.patterns import Patterns, check_fit, fits
from initlab.engine.init.site import Site
from initlab.engine.init.structural import (
    ADVISE,
    LEAVE_OUT,
    Structural,
    contradicted,
    is_weight,
    site_of,
)
from initlab.engine.options import Positive


@register
@dataclass(eq=False, repr=False)
class Siren(Structural, FanScaled):
    """For networks of sines sin(w0 (W x + b)): every sine's input has the same law at any depth.

    Which layer is the first and the w0 of each follow from the network: w0 is the product of the
    fixed factors (the layer `scale`) between a layer and its sine. A layer without a sine has the
    last sine's w0, as the authors' code does. The first layer sets the range of frequencies. Biases
    keep their layers' default.

    Formula: U(-b, b) with b = 1 / fan_in for the first layer, and b = sqrt(6 / fan_in) / w0 for the
    others

    Source: Sitzmann, Martel, Bergman, Lindell and Wetzstein, "Implicit neural representations with
    periodic activation functions", 2020 (arXiv:2006.09661), section 3.2; vsitzmann/siren,
    modules.py, `sine_init` and `first_layer_sine_init`.

    Example:
        input: [2]
        layers:
          - {kind: dense, units: 16}
          - {kind: scale, factor: 30}
          - {kind: activation, activation: sin}
          - {kind: dense, units: 3}
    """

    w0: Optional[Positive] = None
    """The factor within the sines of all layers but the first; null: what follows from the network.
    """
    first: Optional[Patterns] = None
    """Regular expressions for the whole paths of the first layer's weights; null: what follows from
    the network.
    """

    def needed(self) -> tuple[str, ...]:
        """Return both."""
        return ("w0", "first")

    def check(self, paths: Iterable[str]) -> None:
        """Raise OptionErrors with the patterns of `first` that fit no path."""
        check_fit({"first": self.first or []}, paths)

    def finds(self, parameters: Sequence[Description]) -> str:
        """Ask for a sine after one of the layers."""
        if any(site_of(one).sine is not None for one in parameters):
            return ""
        return (
            "none of the layers that it fills goes into a sine - follow a layer by {kind: scale, factor: "
            f"30}} and {{kind: activation, activation: sin}}; {ADVISE}"
        )

    def problems(self, parameters: Sequence[Description]) -> Iterator[OptionError]:
        """Compare what is given with the network."""
        for one in filter(is_weight, parameters):
            site = site_of(one)
            if site.input or site.sine is None or self.w0 is None:
                continue
            if not math.isclose(site.sine, self.w0, rel_tol=1e-6):
                said = f"'{one.structural_path}' goes into a sine times {site.sine:g}"
                yield OptionError("w0", f"is {self.w0:g}, but {said} - {LEAVE_OUT}")
                break
        what = "receives the network's input"
        yield from contradicted(
            "first", self.first, parameters, lambda one: site_of(one).input, what
        )

    def law(self, description: Description) -> laws.Law:
        """Return Uniform(-b, b). Raises ValueError if there is no sine whose w0 it could be."""
        site, fan = self.site(description, *self.needed()), self.fan(description, "in")
        first = (
            site is not None and site.input
            if self.first is None
            else fits(self.first, description.path)
        )
        bound = 1 / fan if first else math.sqrt(6 / fan) / self._w0(description, site)
        return laws.Uniform(-bound, bound)

    def _w0(self, description: Description, site: Site | None) -> float:
        if self.w0 is not None:
            return self.w0
        sines = () if site is None else site.layout.sines
        found = sines[-1] if site is None or site.sine is None else site.sine
        return abs(found)
