"""A file held against a declaration: each tensor against its law, ties and zero rows in both
directions, and copies of noise that no tie explains.
"""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np

from initlab.engine import laws
from initlab.engine.errors import MXNetError
from initlab.runner.audit import patterns
from initlab.runner.audit.audit import (
    OPTIMIZER_STATE,
    Audit,
    Contradiction,
    Copy,
    Judged,
    audit_side,
    opened,
)
from initlab.runner.audit.causes import cause
from initlab.runner.audit.fit import ALPHA
from initlab.runner.audit.found import INTEGERS, TRAINED, UNSET
from initlab.runner.audit.infer import infer
from initlab.runner.audit.sample import MOST, chunks, figures
from initlab.runner.audit.spec import Spec, first_fit
from initlab.runner.check.compare import Side
from initlab.runner.errors import ConfigError, Problems
from initlab.runner.stats.kolmogorov import half_spacing
from initlab.runner.stats.law import Law as LawTests
from initlab.runner.stats.onepass import Summary

MOST_NAMED = 8
UNDECLARED = (INTEGERS, OPTIMIZER_STATE)
"""What needs no rule."""


def audit_against(path: Path, spec: Spec) -> Audit:
    """Return what contradicts the declaration of a file. Raises EvidenceError if it cannot be read, and
    ConfigError like `side_against`.
    """
    return side_against(opened(path), spec)


def side_against(side: Side, spec: Spec) -> Audit:
    """Return what contradicts the declaration of tensors, which may come from a file or a live model.
    Raises ConfigError if a part of the declaration concerns no tensor, a tensor has no rule, or a law
    cannot be judged.
    """
    found = audit_side(side, spec.facts)
    tensors = side.tensors
    spec.check([one.name for one in found.tensors] + list(found.ties))
    problems = Problems()
    _check_rules(found, spec, problems)
    judged = []
    for one in found.tensors:
        with problems.under():
            judged.append(_judged(one, tensors.get(one.name), spec))
    problems.raise_any()
    whole = [*_ties(found, tensors, spec), *_copies(found, spec)]
    return replace(found, tensors=tuple(judged), whole=tuple(whole))


def _check_rules(found: Audit, spec: Spec, problems: Problems) -> None:
    lacking = [
        one.name
        for one in found.tensors
        if spec.rules.rule_for(one.name) is None
        and not (one.found is not None and one.found.kind in UNDECLARED)
    ]
    if lacking:
        more = f" and {len(lacking) - MOST_NAMED} more" if len(lacking) > MOST_NAMED else ""
        named = ", ".join(f"'{name}'" for name in lacking[:MOST_NAMED])
        problems.add("rules", f"no rule fits {named}{more} - add one, or a last rule for '.*'")


def _judged(one: Judged, values: np.ndarray | None, spec: Spec) -> Judged:
    number = spec.rules.rule_for(one.name)
    if values is None or one.found is None or number is None:
        return one
    if one.found.kind == OPTIMIZER_STATE:
        return one
    if one.found.kind == INTEGERS:
        return _allowed(*_whole_numbers(one, values, spec, number), spec)
    against = list(one.contradictions) or _zero_rows(one.name, values, spec)
    if one.found.kind != UNSET:
        rows = first_fit(spec.zero_rows, one.name) or ()
        rest = patterns.without(values, sorted(rows)) if rows else values
        for said, part, shape in _parts(one.name, rest, spec):
            law = _law(one.name, shape, part.dtype.name, spec, number)
            against += _contradicted(said, part, law, spec)
    return _allowed(one, against, spec)


def _allowed(one: Judged, against: list[Contradiction], spec: Spec) -> Judged:
    """Return the tensor with its contradictions, which are a remark if they are allowed."""
    why = first_fit(spec.allow, one.name)
    if why is None or not against or one.found is None:
        return replace(one, contradictions=tuple(against))
    remark = f"allowed ({why}): {'; '.join(each.said for each in against)}"
    return replace(one, found=replace(one.found, remarks=(remark,)), contradictions=())


def _whole_numbers(
    one: Judged, values: np.ndarray, spec: Spec, number: int
) -> tuple[Judged, list[Contradiction]]:
    """Return a tensor of whole numbers, and what contradicts its law: each element of a law without
    chance, and of a random law what is neither a count, nor positions, nor a mask.
    """
    law = _law(one.name, values.shape, "float64", spec, number)
    if not law.random:
        if _as_declared(law, values):
            return one, []
        return one, [Contradiction("law", f"it holds other whole numbers, declared is {law}")]
    assert one.found is not None
    if values.dtype == np.bool_ or _counts(values):
        said = f"counts, positions or a mask: not judged by {law}"
        return replace(one, found=replace(one.found, remarks=(said,))), []
    said = f"it holds whole numbers ({one.dtype}), declared is {law}: quantized? "
    return one, [Contradiction("whole-numbers", f"{said}Give it a rule of its own, or allow it")]


def _counts(values: np.ndarray) -> bool:
    """Return whether whole numbers are all the same, or each row of the last axis has equal steps."""
    if values.size < 2 or bool((values == values.flat[0]).all()):
        return True
    steps = np.diff(values.astype(np.float64), axis=-1)
    return values.shape[-1] > 2 and bool((steps == steps.flat[0]).all())


def _parts(
    name: str, values: np.ndarray, spec: Spec
) -> list[tuple[str, np.ndarray, tuple[int, ...]]]:
    """Return (what to call it, values, shape) of the parts that are judged: the blocks, or all."""
    division = first_fit(spec.blocks, name)
    if division is None:
        return [("", values, values.shape)]
    axis, count = division.axis, division.parts
    if axis >= values.ndim or values.shape[axis] % count:
        said = f"'{name}' of shape {values.shape} has no {count} equal parts on axis {axis}"
        raise ConfigError.of("blocks", said)
    parts = np.split(values, count, axis)
    return [(f"block {k + 1} of {count}: ", part, part.shape) for k, part in enumerate(parts)]


def _law(name: str, shape: tuple[int, ...], dtype: str, spec: Spec, number: int) -> laws.Law:
    try:
        law = spec.rules.law(spec.description(name, shape, dtype))
    except (MXNetError, ValueError, AssertionError, NotImplementedError) as error:
        raise ConfigError.of(f"rules[{number}]", f"has no law for '{name}': {error}") from None
    if isinstance(law, (laws.Custom, laws.Loaded)):
        raise ConfigError.of(f"rules[{number}]", f"{law} says nothing to judge '{name}' by")
    return law


def _contradicted(said: str, values: np.ndarray, law: laws.Law, spec: Spec) -> list[Contradiction]:
    """Return the contradiction of one law, if there is one, with its cause."""
    if not values.size:
        return []
    if not law.random:
        if _as_declared(law, values):
            return []
        return [Contradiction("law", f"{said}it is {infer(values)}, declared is {law}")]
    found = infer(values)
    if not excluded(figures(values), values, law) and found.kind != TRAINED:
        return []
    name, why = cause(values, found, law, values.shape, spec.facts)
    return [Contradiction(name, said + why)]


def _as_declared(law: laws.Law, values: np.ndarray) -> bool:
    """Return whether every element is the one that a law without chance declares."""
    width = math.prod(values.shape[1:])
    parts = chunks(values) if values.ndim else iter([(0, values)])
    exact = np.float64 if values.dtype.kind in "biu" else values.dtype
    return all(
        law.wrong_in(part.reshape(-1).astype(exact), values.shape, first * width) == 0
        for first, part in parts
    )


def excluded(summary: Summary, values: np.ndarray, law: laws.Law) -> bool:
    """Return whether the figures of a tensor exclude a random law."""
    if summary.nonfinite or summary.low is None or summary.high is None:
        return True
    bounds = np.array(law.support)
    if np.isfinite(bounds).all():
        # Others compute the bounds with other roundings than ours.
        room = 4 * half_spacing(bounds, summary.binned) + 1e-6 * np.abs(bounds)
        if summary.low < bounds[0] - room[0] or summary.high > bounds[1] + room[1]:
            return True
    row = LawTests().measure_summary(summary, law, values if values.size <= MOST else None)
    p = row["p"]
    return row["invariants_ok"] is False or (isinstance(p, float) and p < ALPHA)


def _zero_rows(name: str, values: np.ndarray, spec: Spec) -> list[Contradiction]:
    """Return what contradicts the declared zero rows, in both directions."""
    declared = set(first_fit(spec.zero_rows, name) or ())
    beyond = [row for row in declared if not values.ndim or row >= values.shape[0]]
    if beyond:
        raise ConfigError.of(
            "zero_rows", f"'{name}' of shape {values.shape} has no row {beyond[0]}"
        )
    full = [row for row in sorted(declared) if (values[row] != 0).any()]
    if full:
        return [Contradiction("zero-row", f"row {full[0]} is not zero, as is declared")]
    extra = [row for row in patterns.zero_rows(values, figures(values)) if row not in declared]
    number = spec.rules.rule_for(name)
    law = None if number is None else _law(name, values.shape, values.dtype.name, spec, number)
    if extra and law is not None and law.random:
        return [Contradiction("zero-row", f"row {extra[0]} is zero, which is not declared")]
    return []


def _ties(found: Audit, tensors: dict[str, np.ndarray], spec: Spec) -> list[Contradiction]:
    """Return what contradicts the declared ties, in both directions."""
    wrong = []
    for name, owner in found.ties.items():
        if owner not in spec.group_of(name):
            wrong.append(Contradiction("tie", f"{name} is tied to {owner}, which is not declared"))
    for group in spec.tied:
        there = [name for name in group if name in tensors or name in found.ties]
        first = tensors[found.ties.get(there[0], there[0])]
        for name in there[1:]:
            other = tensors[found.ties.get(name, name)]
            if other is not first and not np.array_equal(other, first):
                wrong.append(
                    Contradiction("tie", f"{name} is not tied to {there[0]}, as is declared")
                )
    return wrong


def _copies(found: Audit, spec: Spec) -> list[Contradiction]:
    """Return tensors with the same noise that are not declared as tied, and not allowed."""

    def meant(copy: Copy) -> bool:
        return copy.second in spec.group_of(copy.first) or any(
            first_fit(spec.allow, name) is not None for name in (copy.first, copy.second)
        )

    return [
        Contradiction("copy" if one.factor == 1 else "scaled-copy", str(one))
        for one in found.copies
        if not meant(one)
    ]
