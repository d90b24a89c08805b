"""Why a tensor contradicts its declared law: the likely cause, by the ratio of the found spread to the
declared one and by what else is seen.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from initlab.engine import laws
from initlab.runner.audit.found import CONSTANT, NOT_FRESH, ONES, PATTERN, TRAINED, ZEROS, Found
from initlab.runner.audit.scales import CUT_LOSS, LEAST_ERROR, WITHIN, Facts, fans

LOOKED_AT = 4096


def ratios(shape: tuple[int, ...], facts: Facts) -> Iterator[tuple[str, float, str]]:
    """Yield (name, ratio of the found to the declared spread, cause)."""
    if facts.layers:
        root = math.sqrt(2 * facts.layers)
        yield "residual-scaling", root, f"the scaling by 1/sqrt(2L), L={facts.layers}, is missing"
        yield "residual-scaling", 1 / root, f"it is scaled by 1/sqrt(2L), L={facts.layers}"
    yield "truncation", CUT_LOSS, "it is cut at 2σ, and its spread not corrected for that (0.8796)"
    yield "truncation", 1 / CUT_LOSS, "its spread is corrected for a cut at 2σ (1/0.8796)"
    yield "bound-for-std", math.sqrt(3), "its std is what its bound should be (sqrt(3))"
    yield "bound-for-std", 1 / math.sqrt(3), "its bound is what its std should be (1/sqrt(3))"
    both = fans(shape)
    if both is not None and all(both) and both[0] != both[1]:
        fan_in, fan_out = both
        said = f"fan_out {fan_out} in place of fan_in {fan_in}, or the other way: axes swapped?"
        yield "fan", math.sqrt(fan_in / fan_out), said
        yield "fan", math.sqrt(fan_out / fan_in), said
    if both is not None and all(both):
        for parts in (3, 4):
            if shape[0] % parts == 0:
                one = math.sqrt((both[0] + both[1]) / (both[0] + both[1] / parts))
                yield "packed", one, f"the fans are those of each of {parts} blocks of axis 0"
                yield (
                    "packed",
                    1 / one,
                    f"the fans are those of all {parts} blocks of axis 0 at once",
                )


def cause(
    values: np.ndarray, found: Found, law: laws.Law, shape: tuple[int, ...], facts: Facts
) -> tuple[str, str]:
    """Return (name, sentence) of the likely cause of a contradiction."""
    declared = f"declared is {law}"
    if found.kind in (ZEROS, ONES, CONSTANT, PATTERN) and law.random:
        return "constant", f"it holds {found}, {declared}"
    if found.kind == TRAINED:
        return "trained", f"it is not fresh ({found.remarks[0]}), {declared}"
    if found.kind in NOT_FRESH:
        return found.kind, f"{found.remarks[0]}, {declared}"
    std, wanted = found.numbers.get("std"), law.std
    if std and wanted:
        error = max(found.spread[1] if found.spread else 0.0, LEAST_ERROR)
        ratio = std / wanted
        near = [
            (abs(ratio / value - 1) / error, name, said)
            for name, value, said in ratios(shape, facts)
            if abs(ratio / value - 1) < WITHIN * error
        ]
        text = f"its std is {std:.4g}, {ratio:.4g} times the declared {wanted:.4g}"
        if near:
            names = list(dict.fromkeys(name for _, name, _ in sorted(near)))
            said = list(dict.fromkeys(said for _, _, said in sorted(near)))
            return names[0], f"{text}: {'; or '.join(said)}"
        if abs(ratio - 1) > WITHIN * error:
            return "spread", f"{text} ({declared})"
        rounded = _rounded(values)
        if rounded:
            return "rounded", f"its elements were rounded to {rounded}, {declared}"
    return "law", f"it is {found}, {declared}"


def _rounded(values: np.ndarray) -> str | None:
    """Return the narrower type to which the elements were rounded, if they were."""
    if values.dtype.name not in ("float32", "float64"):
        return None
    some = values.flat[:LOOKED_AT].astype(np.float32)
    with np.errstate(over="ignore"):
        if np.array_equal(some, some.astype(np.float16).astype(np.float32)):
            return "float16"
    if not (some.view(np.uint32) & 0xFFFF).any():
        return "bfloat16"
    return None
