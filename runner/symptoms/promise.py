"""Initializers that are declared, but do not do what their name promises where they stand."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from initlab.runner.excerpt import counted
from initlab.runner.plan.form import Form, Link
from initlab.runner.plan.row import Row
from initlab.runner.symptoms.base import Examined, Reading, Symptom, register
from initlab.runner.symptoms.form import form_seen
from initlab.runner.symptoms.scale import Scale
from initlab.runner.theory.activations import RELATIVES
from initlab.runner.theory.meanfield import critical_weight_variance, gain

FAMILY = ("He", "Lecun", "Xavier", "MSRAPrelu", "VarianceScaling")
"""Initializers whose variance is a constant over a fan: 2 for relu, 1 for the identity."""
CONSTANTS = (1.0, 2.0, 2 / (1 + 0.25**2))
"""The constants that these have as shipped."""
BY_GAIN = ("relu", "leaky", "gelu", "silu")
AT_ZERO = {"tanh": 1.0, "softsign": 1.0, "sin": 1.0, "selu": 1.0, "erf": math.pi / 4}
"""Activation -> the variance times fan at which a small signal keeps its size; SELU's fixed point."""
NEAR = 1.4
"""A factor of the variance that is no mismatch: gelu asks for 2.35, He gives 2."""
BOUNDED = ("tanh", "softsign", "sin", "erf", "sigmoid")
"""Activations that stop a signal from growing: too large a variance does not multiply with depth there.
What it does instead, like units at their ends and inputs driven apart, is measured by other symptoms."""
BRANCHES = ("ResidualScaled", "Fixup", "TFixup")
"""Initializers that make residual branches small."""


@cache
def right_variance(activation: str | None, bias: float = 0.0) -> float | None:
    """Return Var(w) fan_in at which a layer in front of this activation keeps its signal; None where
    that is not known. Behind biases of a variance it is that of the edge of chaos.
    """
    name = RELATIVES.get(activation or "", activation)
    if bias > 0 and name in AT_ZERO and name != "selu":
        return critical_weight_variance(name, bias)
    return gain(name) ** 2 if name in BY_GAIN else AT_ZERO.get(name or "")


@dataclass(frozen=True)
class Connected:
    """A layer of units that are connected with `row.fan_in` others, and the activation behind it."""

    row: Row
    activation: str | None
    bias: float = 0.0
    """The variance of its biases."""

    @property
    def right(self) -> float | None:
        """The right variance, None where it is not known."""
        return right_variance(self.activation, self.bias)

    @property
    def variance(self) -> float:
        """Var(w) fan_in."""
        return float(self.row.law.std) ** 2 * (self.row.fan_in or 0)

    @property
    def by_shape(self) -> float | None:
        """The factor of the variance by fans that are those of the shape alone; None if they are not."""
        row, variance = self.row, float(self.row.law.std) ** 2
        if row.shape_fans is None or row.fan_in is None or row.fan_out is None:
            return None
        shape, roles = _means(*row.shape_fans), _means(row.fan_in, row.fan_out)
        if any(_is(variance * fan, c) for fan in roles for c in CONSTANTS):
            return None
        fits = [
            role / fan
            for fan, role in zip(shape, roles, strict=True)
            for c in CONSTANTS
            if _is(variance * fan, c)
        ]
        return fits[0] if fits else None

    @property
    def factor(self) -> float:
        """The factor of the variance against the right one; 1 where that is not known."""
        return self.by_shape or 1.0 if self.right is None else self.variance / self.right


def _means(fan_in: int, fan_out: int) -> tuple[float, float, float]:
    return float(fan_in), float(fan_out), (fan_in + fan_out) / 2


def _is(value: float, constant: float) -> bool:
    return math.isclose(value, constant, rel_tol=1e-3)


def connected(form: Form) -> list[Connected]:
    """Return the dense and convolutional layers of the trunk between which nothing normalizes."""
    branches = tuple(f"{path}." if path else "" for path in form.containers)
    found: dict[str, Connected] = {}
    leaves = form.links
    for number, leaf in enumerate(leaves):
        if not leaf.weighted or leaf.path.startswith(branches):
            continue
        behind = _behind(leaves[number + 1 :])
        if any("Norm" in one.kind for one in behind):
            continue
        activations = [one.activation for one in (leaf, *behind) if one.activation]
        bias = form.rows.get(f"{leaf.path}.bias")
        spread = 0.0 if bias is None else float(bias.law.std or 0.0) ** 2
        for row in form.rows.values():
            if row.path.rpartition(".")[0] == leaf.path and drawn_by_fan(row):
                found[row.path] = Connected(row, activations[0] if activations else None, spread)
    return list(found.values())


def _behind(links: Sequence[Link]) -> Sequence[Link]:
    """Return the layers up to the next with weights."""
    number = next((n for n, link in enumerate(links) if link.weighted), len(links))
    return links[:number]


def drawn_by_fan(row: Row) -> bool:
    """Return whether a row is a weight with fans, whose law states its spread."""
    return len(row.shape) > 1 and bool(row.fan_in) and bool(row.law.std) and row.alias_of is None


@register
class NotAsNamed(Symptom):
    """A variance scaling that is not that of the layer it stands in."""

    id = "not-as-named"
    title = "variance scalings against what the activation and the connections ask for"
    why = "The factor of each layer multiplies with depth: the signal is not kept, as the name promises."
    source = "He et al. 2015 (arXiv:1502.01852), section 2.2; Glorot and Bengio 2010, section 4.2"
    scale = Scale(4.0, 30.0)
    by_form = True

    def look(self, given: Examined) -> Iterator[Reading]:
        """Yield what the form of the network shows."""
        yield from self.declared(form_seen(given.seen, given.rows))

    def declared(self, form: Form) -> Iterator[Reading]:
        """Yield the factor of the signal by all layers whose initializer is of another activation, or
        has fans that are not those of its connections.
        """
        wrong = [
            one
            for one in connected(form)
            if one.row.initializer in FAMILY and abs(math.log(one.factor)) > math.log(NEAR)
        ]
        if not wrong:
            return
        total = math.exp(sum(math.log(one.factor) for one in wrong) / 2)
        first, figure = wrong[0], max(total, 1 / total)
        stopped = total > 1 and all(one.activation in BOUNDED for one in wrong)
        if stopped and self.scale.harmful is not None:
            figure = min(figure, 0.99 * self.scale.harmful)
        yield Reading(
            where=first.row.path,
            figure=figure,
            measured=f"{first.row.initializer} draws a variance of {first.variance:.3g} / fan_in"
            + (" with fans of the shape alone" if first.by_shape else "")
            + (f" in front of {first.activation}" if first.activation else "")
            + f"; {counted(len(wrong), 'such layer')}"
            + (
                f", whose signal {first.activation} bounds"
                if stopped
                else f" multiply by a factor of {total:.3g}"
            ),
            expected=f"{(first.right or first.variance / first.factor):.3g} / fan_in",
        )


@register
class ScaledTwice(Symptom):
    """Residual branches that both their initializer and a factor make small."""

    id = "scaled-twice"
    title = "factors at the end of branches that their initializer makes small already"
    why = "Branches scaled by 1 / sqrt(L) twice add 1 / L: the blocks have next to no part in the output."
    source = "Hanin and Rolnick 2018 (arXiv:1803.01719), section 3.2"
    scale = Scale(1.2)
    by_form = True

    def look(self, given: Examined) -> Iterator[Reading]:
        """Yield what the form of the network shows."""
        yield from self.declared(form_seen(given.seen, given.rows))

    def declared(self, form: Form) -> Iterator[Reading]:
        """Yield one over the smallest factor in a branch that an initializer of `BRANCHES` draws."""
        small = {row.path: row for row in form.rows.values() if row.initializer in BRANCHES}
        for path in form.adding:
            inside = f"{path}."
            drawn = [row for one, row in small.items() if one.startswith(inside)]
            factors = [
                (abs(link.factor), link.path)
                for link in form.links
                if link.path.startswith(inside) and link.factor
            ]
            if not drawn or not factors:
                continue
            least, where = min(factors)
            yield Reading(
                where=where,
                figure=1 / least,
                measured=f"a factor of {least:.3g} behind weights that {drawn[0].initializer} scales "
                "for the number of blocks",
                expected="one of the two",
                instead=(),
            )
