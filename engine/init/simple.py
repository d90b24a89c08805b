"""Initializers that do not look at the shape: constants and fixed laws (all but the truncated normal are Gluon's)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine import laws, nd
from engine.errors import LawError, OptionError
from engine.init.base import Description, Initializer, alias, check_choice, check_number, register


@register
@alias("zeros")
@dataclass(eq=False, repr=False)
class Zero(Initializer):
    """Every element 0."""

    def law(self, description: Description) -> laws.Law:
        """Constant(0)."""
        return laws.Constant(0.0)


@register
@alias("ones")
@dataclass(eq=False, repr=False)
class One(Initializer):
    """Every element 1."""

    def law(self, description: Description) -> laws.Law:
        """Constant(1)."""
        return laws.Constant(1.0)


@register
@dataclass(eq=False, repr=False)
class Constant(Initializer):
    """Every element `value`, a number or an array that broadcasts to the shape."""

    value: Any

    def check_options(self) -> None:
        """A number or an array of numbers."""
        try:
            self._law()
        except LawError:
            raise OptionError("value", f"must be a number or an array of numbers, got {self.value!r}") from None

    def _law(self) -> laws.Constant:
        array = isinstance(self.value, (nd.NDArray, np.ndarray, np.generic))
        return laws.Constant(self.value.tolist() if array else self.value)

    def law(self, description: Description) -> laws.Law:
        """Constant(value)."""
        return self._law()


@register
@dataclass(eq=False, repr=False)
class Uniform(Initializer):
    """U(-scale, scale). Gluon's default, with scale 0.07; it ignores the width of the layer."""

    scale: float = 0.07

    def check_options(self) -> None:
        """scale >= 0."""
        check_number("scale", self.scale, minimum=0)

    def law(self, description: Description) -> laws.Law:
        """Uniform(-scale, scale)."""
        return laws.Uniform(-float(self.scale), float(self.scale))


@register
@dataclass(eq=False, repr=False)
class Normal(Initializer):
    """N(0, sigma^2). It ignores the width of the layer."""

    sigma: float = 0.01

    def check_options(self) -> None:
        """sigma > 0."""
        check_number("sigma", self.sigma, positive=True)

    def law(self, description: Description) -> laws.Law:
        """Normal(0, sigma)."""
        return laws.Normal(0.0, float(self.sigma))


@register
@dataclass(eq=False, repr=False)
class TruncatedNormal(Initializer):
    """N(mean, s^2) cut to [mean + low s, mean + high s]. `std` is s, or with `std_is: after` what remains after the cut.

    Cut at -2 and 2, the standard deviation after is 0.87962566103423978 s.
    """

    std: float = 0.01
    low: float = -2.0
    high: float = 2.0
    std_is: str = "before"
    mean: float = 0.0

    def check_options(self) -> None:
        """std > 0, low < high; infinite bounds are allowed."""
        check_number("std", self.std, positive=True)
        check_number("mean", self.mean)
        check_choice("std_is", self.std_is, ("before", "after"))
        for name in ("low", "high"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, (int, float)) or math.isnan(value):
                raise OptionError(name, f"must be a number, got {value!r}")
        try:
            laws.TruncatedNormal(0.0, 1.0, float(self.low), float(self.high))
        except LawError as error:
            raise OptionError("low", f"and high leave nothing: {error}") from None

    def law(self, description: Description) -> laws.Law:
        """TruncatedNormal(mean, s, low, high)."""
        low, high, scale = float(self.low), float(self.high), float(self.std)
        if self.std_is == "after":
            scale /= laws.TruncatedNormal(0.0, 1.0, low, high).std
        return laws.TruncatedNormal(float(self.mean), scale, low, high)
