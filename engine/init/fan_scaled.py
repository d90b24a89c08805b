"""Initializers whose scale follows from the fans of the layer.

They take `fans: roles` (from declared axis roles) or `fans: shape` (MXNet's literal rule: axis 0 out, axis 1 in).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from engine import laws
from engine.init.base import Description, Initializer, check_choice, check_number, register

MODES = ("in", "out", "avg", "geo")
FANS = ("roles", "shape")
DISTRIBUTIONS = ("uniform", "normal", "truncated_normal")
CUT = 2.0
"""Truncated normals are cut at 2 standard deviations and widened to keep the variance."""


def law_of_variance(variance: float, distribution: str) -> laws.Law:
    """A law of mean 0 and this variance after any cut."""
    match distribution:
        case "uniform":
            bound = math.sqrt(3 * variance)
            return laws.Uniform(-bound, bound)
        case "normal":
            return laws.Normal(0.0, math.sqrt(variance))
        case "truncated_normal":
            kept = laws.TruncatedNormal(0.0, 1.0, -CUT, CUT).std
            return laws.TruncatedNormal(0.0, math.sqrt(variance) / kept, -CUT, CUT)
    raise ValueError(f"no distribution '{distribution}'")


class FanScaled(Initializer):
    """Base of the initializers here."""

    fans: str

    def fan(self, description: Description, mode: str) -> float:
        """The fan of a parameter. ValueError for a vector, and for a layer without inputs or outputs."""
        if len(description.shape) < 2:
            raise ValueError(
                f"{type(self).__name__} initializer cannot be applied to vector {description.name}. It requires at least 2D."
            )
        fan = (description.fans if self.fans == "roles" else description.shape_fans).choose(mode)
        if fan <= 0:
            raise ValueError(f"{type(self).__name__}: parameter '{description.path}' of shape {description.shape} has a fan of {fan:g}")
        return fan


@register
@dataclass(eq=False, repr=False)
class VarianceScaling(FanScaled):
    """Var = scale / fan (Keras, JAX). Truncated normals are cut at 2 and corrected."""

    scale: float = 1.0
    mode: str = "in"
    distribution: str = "truncated_normal"
    fans: str = "roles"

    def check_options(self) -> None:
        """scale > 0 and known words."""
        check_number("scale", self.scale, positive=True)
        check_choice("mode", self.mode, MODES)
        check_choice("distribution", self.distribution, DISTRIBUTIONS)
        check_choice("fans", self.fans, FANS)

    def law(self, description: Description) -> laws.Law:
        """A law of variance scale / fan."""
        return law_of_variance(self.scale / self.fan(description, self.mode), self.distribution)


@register
@dataclass(eq=False, repr=False)
class Xavier(FanScaled):
    """Gluon's Xavier: sqrt(magnitude / fan) is the bound of a uniform or the std of a gaussian (Glorot and Bengio 2010).

    With the default magnitude 3 the uniform law has Glorot's variance 1 / fan; the gaussian one has three times that.
    """

    rnd_type: str = "uniform"
    factor_type: str = "avg"
    magnitude: float = 3
    fans: str = "roles"

    def check_options(self) -> None:
        """magnitude > 0 and known words."""
        check_choice("rnd_type", self.rnd_type, ("uniform", "gaussian"))
        check_choice("factor_type", self.factor_type, ("avg", "in", "out"))
        check_number("magnitude", self.magnitude, positive=True)
        check_choice("fans", self.fans, FANS)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.fans == "roles":  # MXNet's dumps has no such option
            del self._kwargs["fans"]

    def law(self, description: Description) -> laws.Law:
        """Uniform(-s, s) or Normal(0, s), s = sqrt(magnitude / fan)."""
        s = math.sqrt(self.magnitude / self.fan(description, self.factor_type))
        return laws.Uniform(-s, s) if self.rnd_type == "uniform" else laws.Normal(0.0, s)


@register
@dataclass(eq=False, repr=False)
class MSRAPrelu(FanScaled):
    """Gluon's MSRAPrelu: Xavier, gaussian, of magnitude 2 / (1 + slope^2) (He et al. 2015)."""

    factor_type: str = "avg"
    slope: float = 0.25
    fans: str = "roles"

    def check_options(self) -> None:
        """A known factor_type and a finite slope."""
        check_choice("factor_type", self.factor_type, ("avg", "in", "out"))
        check_number("slope", self.slope)
        check_choice("fans", self.fans, FANS)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.fans == "roles":  # MXNet's dumps has no such option
            del self._kwargs["fans"]

    @property
    def magnitude(self) -> float:
        """2 / (1 + slope^2)."""
        return 2.0 / (1 + self.slope**2)

    def law(self, description: Description) -> laws.Law:
        """Normal(0, sqrt(magnitude / fan))."""
        return laws.Normal(0.0, math.sqrt(self.magnitude / self.fan(description, self.factor_type)))


@register
@dataclass(eq=False, repr=False)
class He(FanScaled):
    """Var = gain^2 / fan, gain^2 = 2 / (1 + slope^2), which keeps the variance through (leaky) relu (He et al. 2015)."""

    slope: float = 0.0
    mode: str = "in"
    distribution: str = "normal"
    fans: str = "roles"

    def check_options(self) -> None:
        """A finite slope and known words."""
        check_number("slope", self.slope)
        check_choice("mode", self.mode, MODES)
        check_choice("distribution", self.distribution, DISTRIBUTIONS)
        check_choice("fans", self.fans, FANS)

    def law(self, description: Description) -> laws.Law:
        """A law of variance gain^2 / fan."""
        return law_of_variance(2.0 / (1 + self.slope**2) / self.fan(description, self.mode), self.distribution)


@register
@dataclass(eq=False, repr=False)
class Lecun(FanScaled):
    """Var = 1 / fan_in (LeCun et al. 1998); truncated by default, as in Flax."""

    distribution: str = "truncated_normal"
    fans: str = "roles"

    def check_options(self) -> None:
        """Known words."""
        check_choice("distribution", self.distribution, DISTRIBUTIONS)
        check_choice("fans", self.fans, FANS)

    def law(self, description: Description) -> laws.Law:
        """A law of variance 1 / fan_in."""
        return law_of_variance(1.0 / self.fan(description, "in"), self.distribution)
