"""Initializers of residual networks: of the branches and of their multipliers.

class            branch outputs               others                   after
ResidualScaled   N(0, std^2 / (2 layers))     chosen by other rules    GPT-2, 2019
Fixup            0                            He, inner ones scaled    Zhang et al. 2019
Skipinit         times a multiplier of 0      He                       De and Smith 2020
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from initlab.engine import laws
from initlab.engine.init.base import Initializer, register
from initlab.engine.init.description import Description
from initlab.engine.init.fan_scaled import FanScaled
from initlab.engine.init.patterns import Patterns, check_fit, fits
from initlab.engine.options import Count, Positive


@register
@dataclass(eq=False, repr=False)
class ResidualScaled(Initializer):
    """N(0, std^2 / (2 layers)). `layers` blocks with two branches each then add a sum whose size
    does not grow with their number.

    Radford et al., "Language models are unsupervised multitask learners" (GPT-2), 2019, section 2.3:
    1 / sqrt(number of residual layers); std 0.02 is `conv1d`'s of openai/gpt-2, src/model.py.
    """

    std: Positive = 0.02
    layers: Count = 1

    def law(self, description: Description) -> laws.Law:
        """Return Normal(0, std / sqrt(2 layers))."""
        return laws.Normal(0.0, self.std / math.sqrt(2 * self.layers))


@register
@dataclass(eq=False, repr=False)
class Fixup(FanScaled):
    """He's normal, multiplied by L^(-1 / (2m - 2)) for the weights that `branch` fits, and 0 for
    those that `zero` fits: the last layer of each branch, and the classifier.

    L is the number of `branches`, m the number of `layers` in each; patterns are regular
    expressions for whole paths. With it, a step moves the output equally far at every depth. Zhang,
    Dauphin and Ma, "Fixup initialization: residual learning without normalization", 2019, section 3,
    with He's variance of fan_in; the authors' code for ResNets (hongyi-zhang/Fixup) has fan_out, which
    is the same for layers as wide as their input. The
    paper's scalar biases and multipliers are layers (`shift`, `scale`).
    """

    branches: Count = 1
    layers: Count = 2
    branch: Patterns = field(default_factory=list)
    zero: Patterns = field(default_factory=list)

    def check(self, paths: Iterable[str]) -> None:
        """Raise OptionErrors with the patterns that fit no path."""
        check_fit({"branch": self.branch, "zero": self.zero}, paths)

    def law(self, description: Description) -> laws.Law:
        """Return Constant(0) or Normal. With one layer in a branch there is no inner layer to
        scale.
        """
        if fits(self.zero, description.path):
            return laws.Constant(0.0)
        std = math.sqrt(2 / self.fan(description, "in"))
        scaled = fits(self.branch, description.path) and self.layers > 1
        return laws.Normal(
            0.0, std * self.branches ** (-1 / (2 * self.layers - 2)) if scaled else std
        )


@register
@dataclass(eq=False, repr=False)
class Skipinit(FanScaled):
    """0 for the multipliers at the ends of branches, so that every block begins as the identity;
    He's normal elsewhere.

    `multiplier` fits the paths of the multipliers; by default those called `scale` (the layer of
    that kind, with `learnable`). De and Smith, "Batch normalization biases residual blocks towards
    the identity function in deep networks", 2020; the same as ReZero, Bachlechner et al. 2020.
    """

    multiplier: Patterns = field(default_factory=lambda: [r".*\.scale"])

    def claims(self, path: str, name: str | None = None) -> bool:
        """Return whether the path is a multiplier's. Its layer has a default initializer, which
        this one replaces.
        """
        return fits(self.multiplier, path)

    def check(self, paths: Iterable[str]) -> None:
        """Raise OptionErrors with the patterns that fit no path. The default may fit none: a
        network may have no such branch.
        """
        if self.multiplier != type(self)().multiplier:
            check_fit({"multiplier": self.multiplier}, paths)

    def law(self, description: Description) -> laws.Law:
        """Return Constant(0), or Normal(0, sqrt(2 / fan_in))."""
        if self.claims(description.path):
            return laws.Constant(0.0)
        return laws.Normal(0.0, math.sqrt(2 / self.fan(description, "in")))
