"""Initializers that choose the spread by how many units a unit is connected with.

    class            variance                 fan  law                                framework
    VarianceScaling  scale / fan              in   truncated normal, normal, uniform  Keras, JAX
    He               2 / ((1 + slope^2) fan)  in   normal                             torch
    Lecun            1 / fan                  in   truncated normal                   Flax
    Xavier           magnitude / (3 fan)      avg  uniform                            MXNet
                     magnitude / fan          avg  gaussian                           MXNet
    MSRAPrelu        2 / ((1 + slope^2) fan)  avg  gaussian                           MXNet

Their names there: `variance_scaling`, `kaiming_normal_`, `lecun_normal`, `Xavier`, `MSRAPrelu`.

With `fans='roles'` fans come from the axis roles. `fans='shape'` is MXNet's rule, which looks at the
shape alone. `Xavier` and `MSRAPrelu` are MXNet's classes, so their default in Python is MXNet's rule;
in a config the default is `roles` for all, so that grouped convolutions, embeddings and stacked gates
have the variance of the paper.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Annotated

from initlab.engine import laws
from initlab.engine.init.base import Initializer, register
from initlab.engine.init.description import Description
from initlab.engine.options import Positive, Rule, choice, default_in_config, finite

MODES = ("in", "out", "avg", "geo")
DISTRIBUTIONS = ("truncated_normal", "normal", "uniform")
Mode = Annotated[str, choice(MODES)]
Distribution = Annotated[str, choice(DISTRIBUTIONS)]
square = Rule("be a number whose square is finite", lambda value: abs(value) < 1e154)
Slope = Annotated[float, finite, square]
FanRule = Annotated[str, choice("roles shape")]
CUT = 2.0
"""The bound of the truncated normal, in units of its standard deviation before truncation."""


def law_of_variance(distribution: str, variance: float) -> laws.Law:
    """Return the law with mean 0 and this variance. A truncated normal has this variance after the
    cut.
    """
    std = math.sqrt(variance)
    match distribution:
        case "uniform":
            return laws.Uniform(-math.sqrt(3) * std, math.sqrt(3) * std)
        case "normal":
            return laws.Normal(0.0, std)
        case "truncated_normal":
            return laws.TruncatedNormal(
                0.0, std / laws.TruncatedNormal(0.0, 1.0, -CUT, CUT).std, -CUT, CUT
            )
    raise ValueError(f"no distribution '{distribution}'")


@dataclass(eq=False, repr=False)
class FanScaled(Initializer):
    """Base of the initializers whose spread depends on a parameter's fan."""

    fans: FanRule = field(default="roles", kw_only=True)
    """How fans are counted: by what the axes are (roles), or MXNet's rule, by the shape alone
    (shape).
    """

    def fan(self, description: Description, mode: str) -> float:
        """Return fan_in, fan_out, or their arithmetic (`avg`) or geometric (`geo`) mean.

        Raises ValueError for a vector and for an empty axis.
        """
        who = type(self).__name__
        if len(description.shape) < 2:
            raise ValueError(
                f"{who} initializer cannot be applied to vector {description.name}. It requires at least 2D."
            )
        fans = description.fans if self.fans == "roles" else description.shape_fans
        fan = {"in": fans.fan_in, "out": fans.fan_out, "avg": fans.avg, "geo": fans.geo}[mode]
        if fan <= 0:
            raise ValueError(
                f"{who} initializer cannot be applied to {description.name}: shape {description.shape} has "
                "a fan of 0."
            )
        return fan


@register
@dataclass(eq=False, repr=False)
class VarianceScaling(FanScaled):
    """A variance in proportion to one over a fan. A truncated normal is cut at 2 standard
    deviations and has this variance after the cut.

    Glorot's initializers are scale 1 with mode avg. Keras: `VarianceScaling`; JAX:
    `nn.initializers.variance_scaling`.

    Formula: Var = scale / fan

    Source: Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural
    networks", 2010, for mode avg; TensorFlow, `VarianceScaling`.

    Example: initlab init=variance_scaling init.scale=2 init.mode=avg
    """

    scale: Positive = 1.0
    """The variance times the fan."""
    mode: Mode = "in"
    """The fan: fan_in (in), fan_out (out), their mean (avg) or geometric mean (geo)."""
    distribution: Distribution = "truncated_normal"
    """The law with this variance."""

    def law(self, description: Description) -> laws.Law:
        """Return the distribution with variance scale / fan."""
        return law_of_variance(self.distribution, self.scale / self.fan(description, self.mode))


@register
@dataclass(eq=False, repr=False)
class He(FanScaled):
    """Keeps the second moment of a signal through relu, or with `slope` through leaky relu.

    torch: `nn.init.kaiming_normal_`, whose `a` is our slope; Keras: `HeNormal`.

    Formula: Var = 2 / ((1 + slope^2) fan)

    Source: He et al., "Delving deep into rectifiers", 2015 (arXiv:1502.01852), equations 10 and 14.

    Example: initlab init=he model=deep_mlp init.mode=out
    """

    slope: Slope = 0.0
    """The slope of leaky relu below 0; 0 for relu."""
    mode: Mode = "in"
    """The fan: in keeps the signal, out the gradient; avg and geo are their means."""
    distribution: Distribution = "normal"
    """The law with this variance."""

    def law(self, description: Description) -> laws.Law:
        """Return the distribution with variance 2 / ((1 + slope^2) fan)."""
        return law_of_variance(
            self.distribution, 2 / (1 + self.slope**2) / self.fan(description, self.mode)
        )


@register
@dataclass(eq=False, repr=False)
class Lecun(FanScaled):
    """Keeps the variance through a linear layer.

    It is Flax's default for dense layers, `lecun_normal`: a truncated normal whose variance is
    corrected for the cut.

    Formula: Var = 1 / fan_in

    Source: LeCun, Bottou, Orr and Müller, "Efficient BackProp", 1998.

    Example: initlab init=lecun init.distribution=normal
    """

    distribution: Distribution = "truncated_normal"
    """The law with this variance."""

    def law(self, description: Description) -> laws.Law:
        """Return the distribution with variance 1 / fan_in."""
        return law_of_variance(self.distribution, 1 / self.fan(description, "in"))


@register
@dataclass(eq=False, repr=False)
class Xavier(FanScaled):
    """A law whose bound (uniform) or standard deviation (gaussian) goes with one over the root of a
    fan. MXNet: `Xavier`.

    With magnitude 3 only the uniform law has Glorot's variance; the gaussian one has three times
    that variance.

    Formula: s = sqrt(magnitude / fan); U(-s, s), or N(0, s^2)

    Source: Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural
    networks", 2010; MXNet 1.9.1, python/mxnet/initializer.py.

    Example: initlab init=xavier init.rnd_type=gaussian init.magnitude=2
    """

    rnd_type: Annotated[str, choice("uniform gaussian")] = "uniform"
    """The law."""
    factor_type: Annotated[str, choice("avg in out")] = "avg"
    """The fan: fan_in (in), fan_out (out) or their mean (avg)."""
    magnitude: Positive = 3
    """s^2 times the fan."""
    fans: FanRule = field(default="shape", kw_only=True, metadata=default_in_config("roles"))
    """How fans are counted: by what the axes are (roles), or MXNet's rule, by the shape alone
    (shape).
    """

    def law(self, description: Description) -> laws.Law:
        """Return Uniform(-s, s) or Normal(0, s), s = sqrt(magnitude / fan)."""
        scale = math.sqrt(self.magnitude / self.fan(description, self.factor_type))
        return (
            laws.Uniform(-scale, scale) if self.rnd_type == "uniform" else laws.Normal(0.0, scale)
        )


@register
@dataclass(eq=False, repr=False)
class MSRAPrelu(Xavier):
    """A gaussian `Xavier` with He's variance, by default for the mean of both fans. MXNet:
    `MSRAPrelu`.

    Formula: Var = 2 / ((1 + slope^2) fan)

    Source: He et al., "Delving deep into rectifiers", 2015; MXNet 1.9.1,
    python/mxnet/initializer.py.

    Example: initlab init=msra_prelu init.slope=0
    """

    rnd_type: str = field(default="gaussian", init=False)
    factor_type: Annotated[str, choice("avg in out")] = "avg"
    """The fan: fan_in (in), fan_out (out) or their mean (avg)."""
    magnitude: float = field(default=math.nan, init=False)
    slope: Slope = 0.25
    """The slope below 0 of the activation."""

    def __post_init__(self) -> None:
        self.slope = square("slope", finite("slope", self.slope))  # before it is squared
        self.magnitude = 2.0 / (1 + self.slope**2)
        super().__post_init__()
