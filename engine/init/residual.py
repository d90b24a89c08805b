"""Initializers of residual networks: of the branches and of their multipliers.

class            branch outputs               others                   after
ResidualScaled   N(0, std^2 / branches)       N(0, others^2)           GPT-2, 2019
Fixup            0                            He, inner ones scaled    Zhang et al. 2019
Skipinit         times a multiplier of 0      He                       De and Smith 2020

The number of branches, the layers of each, and which layer ends it follow from the network.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
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
    Structural,
    contradicted,
    is_weight,
    miscounted,
    site_of,
)
from initlab.engine.options import LATER, Count, Positive

IN_BRANCH = "residual branches with weights"


@register
@dataclass(eq=False, repr=False)
class ResidualScaled(Structural):
    """A normal law that is smaller for the weights which end a residual branch, so that the sum of
    all branches does not grow with their number.

    Where `layers` is given by hand, `others` has no default, and the initializer is for ends of
    branches alone.

    Formula: N(0, std^2 / branches) at the end of a branch

    Source: Radford et al., "Language models are unsupervised multitask learners" (GPT-2), 2019,
    section 2.3: 1 / sqrt(number of residual layers); std 0.02 is `conv1d`'s of openai/gpt-2,
    src/model.py, which has 0.01 for positions (`wpe`).

    Example: initlab init=residual_scaled model=residual_mlp init.others=0.05
    """

    std: Positive = 0.02
    """The standard deviation before it is divided."""
    layers: Optional[Count] = None
    """Half the number of branches, since a transformer's layer has two; null: what follows from the
    network.
    """
    others: Optional[Positive] = field(default=None, kw_only=True, metadata={LATER: True})
    """The standard deviation of weights that end no branch; null: std."""
    positions: Optional[Positive] = field(default=None, kw_only=True, metadata={LATER: True})
    """The standard deviation of learned positions; null: others."""

    def needed(self) -> tuple[str, ...]:
        """Return `layers`."""
        return ("layers",)

    def finds(self, parameters: Sequence[Description]) -> str:
        """Ask for weights that end a residual branch."""
        if any(site_of(one).ends for one in parameters):
            return ""
        return f"none of the weights that it fills ends a residual branch - {ADVISE}"

    def problems(self, parameters: Sequence[Description]) -> Iterator[OptionError]:
        """Compare `layers` with the branches; ask for `others` beside it where weights need it."""
        branches = site_of(parameters[0]).layout.branches
        if self.layers is not None and 2 * self.layers != branches:
            yield from miscounted(
                "layers", self.layers, branches / 2, f"layers: {branches} branches"
            )
        strange = next(
            (one for one in filter(is_weight, parameters) if not site_of(one).ends), None
        )
        if self.others is None and self.layers is not None and strange is not None:
            yield OptionError(
                "others",
                f"is not given beside layers, but '{strange.structural_path}' ends no residual branch "
                "- leave layers out, or give the standard deviation of such weights",
            )

    def check_own(self, parameter: Description) -> None:
        """Raise ValueError for a parameter that ends no residual branch, too."""
        super().check_own(parameter)
        if self.known(parameter) and not site_of(parameter).ends:
            raise ValueError(
                "it ends no residual branch, which residual_scaled is for - choose normal"
            )

    def law(self, description: Description) -> laws.Law:
        """Return Normal(0, std / sqrt(branches)), or Normal(0, others)."""
        site = self.site(description, "layers")
        others = self.std if self.others is None and self.layers is None else self.others
        if site is not None and not site.ends and others is not None:
            positions = self.positions if site.offset else None
            return laws.Normal(0.0, others if positions is None else positions)
        branches = 2 * self.layers if self.layers else site.layout.branches if site else 1
        return laws.Normal(0.0, self.std / math.sqrt(branches))


@register
@dataclass(eq=False, repr=False)
class Fixup(Structural, FanScaled):
    """He's normal, scaled down in the inner layers of residual branches, and 0 in the last layer of
    each branch and in the classifier, for networks without normalization.

    With L branches, of which the weight's has m layers, a step then moves the output equally far at
    every depth. The classifier is the last layer after all branches. The variance is He's of
    fan_in; the authors' code for ResNets (hongyi-zhang/Fixup) has fan_out, which is the same for
    layers as wide as their input. The paper's scalar biases and multipliers are layers (`shift`,
    `scale`).

    Formula: Var = L^(-1 / (m - 1)) 2 / fan_in in a branch

    Source: Zhang, Dauphin and Ma, "Fixup initialization: residual learning without normalization",
    2019, section 3.

    Example: initlab init=fixup model=residual_mlp
    """

    branches: Optional[Count] = None
    """L, the number of residual branches; null: what follows from the network."""
    layers: Optional[Count] = None
    """m, the number of layers of each branch; null: what follows from the network."""
    branch: Optional[Patterns] = None
    """Regular expressions for the whole paths of inner weights of branches; null: what follows from
    the network.
    """
    zero: Optional[Patterns] = None
    """Regular expressions for the whole paths of weights that are 0; null: what follows from the
    network.
    """

    def needed(self) -> tuple[str, ...]:
        """Return all four."""
        return ("branches", "layers", "branch", "zero")

    def check(self, paths: Iterable[str]) -> None:
        """Raise OptionErrors with the patterns that fit no path."""
        check_fit({"branch": self.branch or [], "zero": self.zero or []}, paths)

    def finds(self, parameters: Sequence[Description]) -> str:
        """Ask for weights in a residual branch."""
        if any(site_of(one).branch is not None for one in filter(is_weight, parameters)):
            return ""
        return f"none of the weights that it fills is in a residual branch - {ADVISE}"

    def problems(self, parameters: Sequence[Description]) -> Iterator[OptionError]:
        """Compare what is given with the network."""
        layout = site_of(parameters[0]).layout
        yield from miscounted("branches", self.branches, layout.branches, IN_BRANCH)
        inner = [one for one in filter(is_weight, parameters) if _is_inner(site_of(one))]
        for one in inner:
            what = f"layers in the branch of '{one.structural_path}'"
            wrong = list(miscounted("layers", self.layers, site_of(one).layers, what))
            yield from wrong
            if wrong:
                break
        yield from contradicted(
            "branch",
            self.branch,
            parameters,
            lambda one: _is_inner(site_of(one)),
            "is an inner layer of a residual branch",
        )
        yield from contradicted(
            "zero",
            self.zero,
            parameters,
            lambda one: _is_zero(site_of(one)),
            "ends a residual branch or is the classifier",
        )

    def law(self, description: Description) -> laws.Law:
        """Return Constant(0) or Normal. With one layer in a branch there is no inner layer to
        scale.
        """
        site, path = self.site(description, *self.needed()), description.path
        if _is_zero(site) if self.zero is None else fits(self.zero, path):
            return laws.Constant(0.0)
        std = math.sqrt(2 / self.fan(description, "in"))
        if not (_is_inner(site) if self.branch is None else fits(self.branch, path)):
            return laws.Normal(0.0, std)
        branches = self.branches or (site.layout.branches if site else 1)
        layers = self.layers or (site.layers if site else 1)
        return laws.Normal(0.0, std * branches ** (-1 / (2 * layers - 2)) if layers > 1 else std)


def _is_inner(site: Site | None) -> bool:
    """Return whether a layer is in a residual branch and not its last."""
    return site is not None and site.branch is not None and not site.ends


def _is_zero(site: Site | None) -> bool:
    """Return whether a layer ends a residual branch, or is the classifier."""
    if site is None:
        return False
    return site.ends or (site.branch is None and site.output and not site.input)


@register
@dataclass(eq=False, repr=False)
class Skipinit(Structural, FanScaled):
    """0 for the multipliers at the ends of residual branches, so that every block begins as the
    identity; He's normal elsewhere.

    A multiplier is a learned factor (the layer `scale` with `learnable`) after the last layer of a
    branch.

    Source: De and Smith, "Batch normalization biases residual blocks towards the identity function
    in deep networks", 2020, section 3; the same as ReZero, Bachlechner et al. 2020.

    Example:
        input: [16]
        layers:
          - kind: residual
            name: block
            layers:
              - {kind: dense, units: 16, activation: relu}
              - {kind: scale, learnable: true}
    """

    multiplier: Optional[Patterns] = None
    """Regular expressions for the whole paths of multipliers; null: what follows from the network.
    """

    def needed(self) -> tuple[str, ...]:
        """Return `multiplier`."""
        return ("multiplier",)

    def claims(self, path: str, name: str | None = None) -> bool:
        """Return whether `multiplier` fits the path."""
        return self.multiplier is not None and fits(self.multiplier, path)

    def claims_parameter(self, description: Description) -> bool:
        """Return whether it is a multiplier. Its layer has a default initializer, which this one
        replaces.
        """
        if self.multiplier is not None:
            return self.claims(description.path)
        return self.known(description) and site_of(description).multiplier

    def check(self, paths: Iterable[str]) -> None:
        """Raise OptionErrors with the patterns that fit no path. Older runs have `.*\\.scale`, their
        default, which may fit none.
        """
        if self.multiplier != [r".*\.scale"]:
            check_fit({"multiplier": self.multiplier or []}, paths)

    def finds(self, parameters: Sequence[Description]) -> str:
        """Ask for a multiplier."""
        if any(site_of(one).multiplier for one in parameters):
            return ""
        scale = "{kind: scale, learnable: true}"
        return f"no residual branch ends with a multiplier - end each with {scale}; {ADVISE}"

    def problems(self, parameters: Sequence[Description]) -> Iterator[OptionError]:
        """Compare `multiplier` with the network."""
        chosen = self.multiplier
        for one in parameters if chosen is not None else ():
            fitting = self.claims(one.path)
            if fitting != site_of(one).multiplier:
                does = "fits" if fitting else "does not fit"
                is_one = "is no multiplier" if fitting else "is a multiplier"
                yield OptionError(
                    "multiplier",
                    f"contradicts the network: it {does} '{one.structural_path}', which {is_one} at "
                    "the end of a residual branch - leave it out: it follows from the network",
                )
                return

    def remarks(self, parameters: Sequence[Description]) -> list[str]:
        """Name the branches with weights that end with no multiplier."""
        ended = {site_of(one).branch for one in parameters if site_of(one).multiplier}
        inside = [one for one in filter(is_weight, parameters) if site_of(one).branch is not None]
        lacking = [
            b for b in dict.fromkeys(site_of(one).branch for one in inside) if b not in ended
        ]
        if not lacking:
            return []
        more = f" and {len(lacking) - 1} more" if len(lacking) > 1 else ""
        return [f"skipinit finds no multiplier at the end of the branch '{lacking[0]}'{more}"]

    def law(self, description: Description) -> laws.Law:
        """Return Constant(0), or Normal(0, sqrt(2 / fan_in))."""
        self.site(description, "multiplier")
        if self.claims_parameter(description):
            return laws.Constant(0.0)
        return laws.Normal(0.0, math.sqrt(2 / self.fan(description, "in")))
