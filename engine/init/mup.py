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
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Optional

from initlab.engine import laws
from initlab.engine.errors import OptionError
from initlab.engine.init.base import register
from initlab.engine.init.description import Description
from initlab.engine.init.fan_scaled import FanScaled, law_of_variance
from initlab.engine.init.patterns import Patterns, check_fit, fits
from initlab.engine.init.structural import (
    ADVISE,
    LEAVE_OUT,
    Structural,
    contradicted,
    site_of,
)
from initlab.engine.options import Count, Positive, choice

TABLE = ("group", "out")
"""The axis roles of an embedding."""


@register
@dataclass(eq=False, repr=False)
class Mup(Structural, FanScaled):
    """The maximal update parametrization: initial variances and learning rates with which updates
    have the same size at every width.

    The first layers grow with the width along their outputs only, and so do embeddings and learned
    positions; the last layers along their inputs only, every other weight along both. Which layers
    are first and last follows from the network. The learning-rate multipliers are written into the
    plan.

    Formula: Var = scale / fan_in, for output layers base / fan_in^2

    Source: Yang and Hu, "Tensor Programs V", 2022 (arXiv:2203.03466), table 3.

    Example: initlab init=mup init.base=64 model=deep_mlp
    """

    input: Optional[Patterns] = None
    """Regular expressions for the whole paths of the first layers' weights; null: what follows from
    the network.
    """
    output: Optional[Patterns] = None
    """Regular expressions for the whole paths of the last layers' weights and biases; null: what
    follows from the network.
    """
    base: Count = 1
    """The width whose learning rates and variances are kept; it is no property of the network."""
    optimizer: Annotated[str, choice("adam sgd")] = "adam"
    """What the learning rates are for: adam (and similar ones) or sgd."""
    scale: Positive = 1.0
    """Of hidden layers, the variance times fan_in."""
    zero_output: bool = False
    """Whether the output weights begin at 0, as the authors recommend."""

    def check(self, paths: Iterable[str]) -> None:
        """Raise OptionErrors with the patterns that fit no path."""
        check_fit({"input": self.input or [], "output": self.output or []}, paths)

    def needed(self) -> tuple[str, ...]:
        """Return both lists."""
        return ("input", "output")

    def finds(self, parameters: Sequence[Description]) -> str:
        """Ask for an output layer, behind a first one."""
        if any(site_of(one).output and not site_of(one).input for one in parameters):
            return ""
        tied = next((one for one in parameters if site_of(one).output and one.aliases), None)
        if tied is not None:
            return (
                f"'{tied.structural_path}' is a first and a last layer's weight, which need different "
                f"variances - untie it from '{tied.aliases[0]}' (~model.share)"
            )
        return (
            "the network has no last layer whose inputs grow with the width, behind a first one - "
            f"{ADVISE}"
        )

    def problems(self, parameters: Sequence[Description]) -> Iterator[OptionError]:
        """Compare what is given with the network."""
        yield from contradicted(
            "input",
            self.input,
            [one for one in parameters if one.roles != TABLE],
            _grows_outwards,
            "receives the network's input",
        )
        yield from contradicted(
            "output",
            self.output,
            parameters,
            lambda one: site_of(one).output,
            "is of a last layer",
        )
        if self.output is not None and self.optimizer == "sgd":
            for one in parameters:
                if site_of(one).output and not fits(self.output, one.path):
                    said = (
                        f"does not fit '{one.structural_path}', whose learning rate sgd would scale"
                    )
                    yield OptionError("output", f"{said} - {LEAVE_OUT}")
                    break

    def _is_output(self, description: Description) -> bool:
        if self.output is not None:
            return fits(self.output, description.path)
        site = self.site(description, "output")
        return site is not None and site.output

    def _is_input(self, description: Description) -> bool:
        if self.input is not None:
            return fits(self.input, description.path)
        return self.site(description, "input") is not None and _grows_outwards(description)

    def law(self, description: Description) -> laws.Law:
        """Return Normal, or Constant(0)."""
        fan = self.fan(description, "in")
        if not self._is_output(description):
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
        base, output = self.base, self._is_output(description)
        if len(description.shape) < 2:
            size = math.prod(description.shape)
            return 1.0 if output or self.optimizer == "adam" else size / base
        fans = description.fans
        if output:
            return base / fans.fan_in
        if self._is_input(description):
            return 1.0 if self.optimizer == "adam" else fans.fan_out / base
        return base / fans.fan_in if self.optimizer == "adam" else 1.0


def _grows_outwards(description: Description) -> bool:
    """Return whether a weight's inputs do not grow with the width."""
    return site_of(description).input or description.roles == TABLE
