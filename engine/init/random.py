"""Initializers whose law does not depend on the shape: uniform, normal, truncated normal."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated

from initlab.engine import laws
from initlab.engine.errors import LawError, OptionError
from initlab.engine.init.base import Initializer, register
from initlab.engine.init.description import Description
from initlab.engine.options import Finite, NotNegative, Positive, choice


@lru_cache(maxsize=64, typed=True)
def _uniform(scale: float) -> laws.Uniform:
    return laws.Uniform(0.0 - scale, scale)


@lru_cache(maxsize=64, typed=True)
def _normal(sigma: float) -> laws.Normal:
    return laws.Normal(0.0, sigma)


@register
@dataclass(eq=False, repr=False)
class Uniform(Initializer):
    """A uniform law that ignores the width of the layer. MXNet: `Uniform`, the default of
    `Block.initialize`.

    Formula: U(-scale, scale)

    Source: MXNet 1.9.1, python/mxnet/initializer.py.

    Example: initlab init=uniform init.scale=0.1
    """

    scale: NotNegative = 0.07
    """The bound."""

    def law(self, description: Description) -> laws.Law:
        """Return Uniform(-scale, scale)."""
        return _uniform(self.scale)


@register
@dataclass(eq=False, repr=False)
class Default(Uniform):
    """Each layer's own initializer, where `semantics` of a config names a library whose layers have
    one; U(-scale, scale), MXNet's default, for parameters whose layers leave them to the network.

    Source: MXNet 1.9.1, python/mxnet/gluon/parameter.py; for semantics=torch the `reset_parameters`
    of torch's modules.

    Example: initlab init=default semantics=torch
    """


@register
@dataclass(eq=False, repr=False)
class Normal(Initializer):
    """A normal law that ignores the width of the layer. MXNet: `Normal`.

    Formula: N(0, sigma^2)

    Source: MXNet 1.9.1, python/mxnet/initializer.py.

    Example: initlab init=normal init.sigma=0.02
    """

    sigma: Positive = 0.01
    """The standard deviation."""

    def law(self, description: Description) -> laws.Law:
        """Return Normal(0, sigma)."""
        return _normal(self.sigma)


@register
@dataclass(eq=False, repr=False)
class TruncatedNormal(Initializer):
    """A normal law that is cut at both ends.

    Formula: N(mean, s^2) cut to [mean + low s, mean + high s]

    Source: torch, `nn.init.trunc_normal_` (std before the cut); JAX,
    `nn.initializers.variance_scaling` (std after the cut, for which s = std / 0.8796 with cuts at
    -2 and 2).

    Example: initlab init=truncated_normal init.std=0.02
    """

    std: Positive = 0.01
    """The standard deviation that std_is names."""
    low: Finite = -2.0
    """The lower end, in units of s from the mean."""
    high: Finite = 2.0
    """The upper end, in units of s from the mean."""
    std_is: Annotated[str, choice("before after")] = "before"
    """Whether std is the standard deviation s before the cut, or that after it."""
    mean: Finite = 0.0
    """The mean before the cut."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.low < self.high:
            raise OptionError("low", f"must be less than high, got {self.low!r} and {self.high!r}")
        try:
            laws.TruncatedNormal(0.0, 1.0, self.low, self.high)
        except LawError:
            raise OptionError(
                "low",
                f"and high leave nothing of the normal between {self.low!r} and {self.high!r}",
            ) from None

    def law(self, description: Description) -> laws.Law:
        """Return TruncatedNormal(mean, s, low, high)."""
        left = (
            1.0
            if self.std_is == "before"
            else laws.TruncatedNormal(0.0, 1.0, self.low, self.high).std
        )
        return laws.TruncatedNormal(self.mean, self.std / left, self.low, self.high)
