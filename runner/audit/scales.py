"""Names of a spread: which rules of initialization give the standard deviation that was found.

Every rule whose standard deviation lies within the error of the found one is named; rules that give the
same number cannot be told apart, and `why` says so.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from initlab.engine import laws
from initlab.runner.audit.found import DRAWN, ORTHOGONAL, Found

WITHIN = 4.0
"""Errors of the found spread by which a rule may be off."""
CUT_LOSS = laws.TruncatedNormal(0.0, 1.0, -2.0, 2.0).std
"""What a cut at 2 deviations leaves of a normal law's spread: 0.8796."""
LEAST_ERROR = 1e-6
ROUNDING = {"float16": 2**-11, "bfloat16": 2**-8}
"""By what part rounding may move a bound."""


@dataclass(frozen=True)
class Facts:
    """What is known of a network: layers, the width of its stream, the declared std."""

    layers: int | None = None
    hidden: int | None = None
    std: float | None = None


@dataclass(frozen=True)
class Scale:
    """A rule that gives the spread, and by how many errors it is off."""

    name: str
    std: float
    z: float


def fans(shape: tuple[int, ...]) -> tuple[int, int] | None:
    """Return (fan_in, fan_out) of a shape as torch and MXNet lay weights out: (out, in, *kernel)."""
    if len(shape) < 2:
        return None
    field = math.prod(shape[2:])
    return shape[1] * field, shape[0] * field


def rules(shape: tuple[int, ...], facts: Facts) -> Iterator[tuple[str, float]]:
    """Yield (name, standard deviation) of every rule for a shape."""
    both = fans(shape)
    if both is not None and all(both):
        fan_in, fan_out = both
        yield "he, fan_in", math.sqrt(2 / fan_in)
        yield "he, fan_out", math.sqrt(2 / fan_out)
        yield "xavier", math.sqrt(2 / (fan_in + fan_out))
        yield "lecun, fan_in", math.sqrt(1 / fan_in)
        yield "lecun, fan_out", math.sqrt(1 / fan_out)
        yield "torch's default, 1/sqrt(3 fan_in)", math.sqrt(1 / (3 * fan_in))
        yield "1/sqrt(3 fan_out)", math.sqrt(1 / (3 * fan_out))
        for parts in (3, 4):
            if shape[0] % parts == 0:
                name = f"xavier of each of {parts} blocks"
                yield name, math.sqrt(2 / (fan_in + fan_out / parts))
    declared = facts.std
    for std in (1.0, 0.02, 0.01, 0.001, 1e-6):
        if std != declared:
            yield f"{std:g}", std
    if declared is not None:
        yield f"the declared std {declared:g}", declared
    base = 0.02 if declared is None else declared
    if facts.layers:
        yield f"{base:g}/sqrt(2L), L={facts.layers}", base / math.sqrt(2 * facts.layers)
        yield f"{base:g}/sqrt(L), L={facts.layers}", base / math.sqrt(facts.layers)
    yield f"{base:g} cut at 2σ and not corrected", base * CUT_LOSS
    if facts.hidden:
        yield f"1/sqrt(hidden), hidden={facts.hidden}", facts.hidden**-0.5


def scales(
    found: Found, shape: tuple[int, ...], facts: Facts, dtype: str = "float32"
) -> list[Scale]:
    """Return every rule that gives the spread of a found law, the nearest first; `dtype` is what the
    elements were rounded to.
    """
    if found.kind == ORTHOGONAL:
        gain = found.numbers["gain"]
        names = {"gain 1": 1.0, "gain sqrt(2)": math.sqrt(2)}
        return [Scale(name, std, 0.0) for name, std in names.items() if abs(gain / std - 1) < 1e-3]
    if found.kind not in DRAWN or found.spread is None:
        return []
    std, error = found.spread
    if "bound" in found.numbers and not found.others:  # the largest element tells it better
        error = max(1.5 / found.elements, ROUNDING.get(dtype, 0.0) / WITHIN)
    each = [
        Scale(name, value, (std / value - 1) / max(error, LEAST_ERROR))
        for name, value in rules(shape, facts)
    ]
    return sorted((one for one in each if abs(one.z) < WITHIN), key=lambda one: abs(one.z))


def why(found: Found, named: list[Scale]) -> str:
    """Return why several rules fit, in a few words; '' if at most one does."""
    values = [one.std for one in named]
    if len(values) < 2:
        return ""
    if max(values) <= min(values) * (1 + 1e-9):
        return "they are the same number for this shape"
    error = found.spread[1] if found.spread else 0.0
    return (
        f"they lie within the error of {WITHIN * error:.1%} that {found.elements:,} elements leave"
    )
