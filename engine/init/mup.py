"""The maximal update parametrization: initial variances and learning rates with which updates have
the same size at every width.

                     Var              learning rate, Adam    SGD
    input, biases    scale / fan_in   1                      fan_out / base
    hidden           scale / fan_in   base / fan_in          1
    output           base / fan_in^2  base / fan_in          base / fan_in

Yang and Hu, "Tensor Programs V: tuning large neural networks via zero-shot hyperparameter
transfer", 2022 (arXiv:2203.03466), table 3; the package microsoft/mup has the equivalent table 8.
Widths are relative to `base`: at that width everything equals the standard parametrization.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Annotated

from initlab.engine import laws
from initlab.engine.init.base import register
from initlab.engine.init.description import Description
from initlab.engine.init.fan_scaled import FanScaled, law_of_variance
from initlab.engine.init.patterns import Patterns, check_fit, fits
from initlab.engine.options import Count, Positive, choice


@register
@dataclass(eq=False, repr=False)
class Mup(FanScaled):
    """The initializer of the table above.

    `input` and `output` are regular expressions for whole paths. A weight that `input` fits grows
    with the width along its outputs only, one that `output` fits along its inputs only, every other
    weight along both. `output` also fits the biases of the output layer.

    The learning-rate multipliers are written into the plan, for the named optimizer: adam (and
    similar ones) or sgd. With `zero_output` the output weights begin at 0, as the authors
    recommend.
    """

    input: Patterns = field(default_factory=list)
    output: Patterns = field(default_factory=list)
    base: Count = 1
    optimizer: Annotated[str, choice("adam sgd")] = "adam"
    scale: Positive = 1.0
    zero_output: bool = False

    def check(self, paths: Iterable[str]) -> None:
        """Raise OptionErrors with the patterns that fit no path."""
        check_fit({"input": self.input, "output": self.output}, paths)

    def law(self, description: Description) -> laws.Law:
        """Return Normal, or Constant(0)."""
        fan = self.fan(description, "in")
        if not fits(self.output, description.path):
            return law_of_variance("normal", self.scale / fan)
        return (
            laws.Constant(0.0)
            if self.zero_output
            else law_of_variance("normal", self.scale * self.base / fan**2)
        )

    def learning_rate_multiplier(self, description: Description) -> float:
        """Return the factor from the last two columns of the table. Vectors count as biases; the
        size of the output's biases does not grow with the width.
        """
        path, base = description.path, self.base
        output = fits(self.output, path)
        if len(description.shape) < 2:
            size = math.prod(description.shape)
            return 1.0 if output or self.optimizer == "adam" else size / base
        fans = description.fans
        if output:
            return base / fans.fan_in
        if fits(self.input, path):
            return 1.0 if self.optimizer == "adam" else fans.fan_out / base
        return base / fans.fan_in if self.optimizer == "adam" else 1.0
