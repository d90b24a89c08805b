"""What a model's values and last writes say against a declaration."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import numpy as np

from initlab.engine import laws
from initlab.engine.errors import MXNetError
from initlab.runner.audit import patterns
from initlab.runner.audit.against import excluded
from initlab.runner.audit.audit import Contradiction
from initlab.runner.audit.causes import cause
from initlab.runner.audit.found import (
    CONSTANT,
    CUT_2,
    NORMAL,
    ORTHOGONAL,
    UNIFORM,
    UNSET,
    Found,
)
from initlab.runner.audit.sample import figures
from initlab.runner.audit.spec import Spec, first_fit
from initlab.runner.torch.watch.checks.base import Check, register
from initlab.runner.torch.watch.record.arrays import array
from initlab.runner.torch.watch.record.found import Examined, Finding, Held

WHOLE = ("zero-row", "tie", "copy", "scaled-copy")
"""Contradictions of an audit that are checks of their own."""
NEAR = 0.005
"""By what part the numbers of a write may differ from the declared ones."""
EXACT = 10**6
"""Elements that a write's own numbers count for."""

DRAWN_LAWS = (laws.Normal, laws.Uniform, laws.TruncatedNormal)
FEWEST, LOOKED_AT = 16, 1 << 16
"""Elements that are held against the last write: at least, and at most."""
FARTHEST = 8.0
"""No normal value of torch is so many standard deviations from its mean: sqrt(-2 ln 2^-24) = 5.8 in
float32, 8.6 in float64 once in 10^15.
"""
LEAST = 64
"""Elements below which equal parts may be chance, or a pattern."""
SPARSE = 0.5
"""The part of elements other than zero from which equal parts are noise, and no pattern."""


def contradictions(given: Examined, check: str) -> Iterator[tuple[str, Contradiction]]:
    """Yield (name, contradiction) of the audit of the values, of those that belong to one check."""
    if given.audit is None or given.spec is None:
        return
    for one in given.audit.tensors:
        for each in one.contradictions:
            if _check_of(each, one.name, given.spec) == check:
                yield one.name, each


def _check_of(found: Contradiction, name: str, spec: Spec) -> str | None:
    if found.name in WHOLE:
        return found.name
    if found.name == UNSET:
        return None  # never-written says it
    return "block" if first_fit(spec.blocks, name) is not None else "law"


@register
class Law(Check):
    """Values, or the numbers of the last write, against the declared law."""

    id: ClassVar[str] = "law"
    says: ClassVar[str] = "its values or its last write contradict the declared law, cause named"

    def look(self, given: Examined) -> Iterator[Finding]:
        """Yield contradictions, said by the last write where its own numbers contradict: they are exact,
        and the same for every layer. Else the values say them.
        """
        by_values = dict(contradictions(given, self.id))
        for held in given.own:
            said = _unseen(held) if held.kept else None
            if said is None and held.kept and given.spec is not None:
                said = _written_otherwise(held, given.spec)
            if said is None and held.name in by_values:
                found = by_values[held.name]
                said = f"{found.said} [{found.name}]{_by(held)}"
            if said:
                yield self.of(held, said)


def _by(held: Held) -> str:
    """Return who wrote a tensor last, for the end of a sentence."""
    last = held.history.last
    if last is None:
        return ""
    parts = [one for one in held.history.since if not one.whole]
    then = f", then in a part by {parts[-1].call} at {parts[-1].place}" if parts else ""
    return f"; last written by {last.call} at {last.place}{then}"


def _far(values: np.ndarray, law: laws.Law) -> str:
    """Return how many values lie where a normal law gives none, and how far; '' for none."""
    if not isinstance(law, (laws.Normal, laws.TruncatedNormal)) or not law.std:
        return ""
    away = np.abs(values.astype(np.float64) - law.mean) / law.std
    count = int((away > FARTHEST).sum())
    if not count:
        return ""
    farthest = values.flat[int(away.argmax())]
    lie = f"{count} of its {values.size:,} values {'lies' if count == 1 else 'lie'} beyond {FARTHEST:g}"
    return f"{lie} standard deviations; the farthest, {farthest:g}, {away.max():.0f} of them"


def _unseen(held: Held) -> str | None:
    """Return that a tensor does not hold what its last write gave it, if that is so."""
    last, content = held.history.last, held.history.content
    values = array(held.tensor)
    if (
        last is None
        or content is None
        or values is None
        or any(not one.whole for one in held.history.since)
    ):
        return None
    if (
        not isinstance(content.law, DRAWN_LAWS)
        or not values.size >= FEWEST
        or held.tensor.isnan().any()
    ):
        return None
    far = _far(values, content.law)
    if far:
        return f"its last write gave it {content.law} ({last.call} at {last.place}), but {far}"
    some = np.ascontiguousarray(values.flat[:LOOKED_AT])
    if not excluded(figures(some), some, content.law):
        return None
    return (
        f"its values are not {content.law}, which its last write gave it ({last.call} at "
        f"{last.place}): it was written by another thread, or outside of torch's operations"
    )


def _written_otherwise(held: Held, spec: Spec) -> str | None:
    """Return how the last write's own numbers contradict the declared law."""
    last, content = held.history.last, held.history.content
    if last is None or content is None or content.law is None or last.loaded:
        return None
    if first_fit(spec.blocks, held.name) is not None:
        return None
    shape = tuple(held.tensor.shape)
    values = array(held.tensor)
    if values is None or values.dtype.kind != "f" and values.dtype.name != "bfloat16":
        return None
    try:
        declared = spec.rules.law(spec.description(held.name, shape, values.dtype.name))
    except (MXNetError, ValueError, AssertionError, NotImplementedError):
        return None  # the audit of the values says so
    if not differ(content.law, declared):
        return None
    name, why = cause(values, _as_found(content.law), declared, shape, spec.facts)
    return f"its last write is {last.call} at {last.place}: {why} [{name}]"


def differ(written: laws.Law, declared: laws.Law) -> bool:
    """Return whether two laws differ by more than rounding; False for laws that no write tells."""
    kinds = (laws.Constant, laws.Normal, laws.Uniform, laws.TruncatedNormal)
    if isinstance(written, laws.Haar) and isinstance(declared, laws.Haar):
        return abs(written.gain - declared.gain) > NEAR * declared.gain
    if not isinstance(declared, kinds) or not isinstance(written, kinds):
        return isinstance(written, laws.Haar) and isinstance(declared, kinds)
    if isinstance(written, laws.Constant) and isinstance(declared, laws.Constant):
        return False  # the values say it exactly
    if type(written) is not type(declared):
        return True
    size = max(abs(declared.std or 0.0), 1e-30)
    pairs = [(written.std, declared.std), (written.mean, declared.mean)]
    pairs += list(zip(written.support, declared.support, strict=True))
    return any(
        a is not None and b is not None and a != b and abs(a - b) > NEAR * max(size, abs(b))
        for a, b in pairs
    )


def _as_found(law: laws.Law) -> Found:
    """Return a law as an audit would find it in very many elements."""
    if isinstance(law, laws.Constant):
        number = law.value if isinstance(law.value, (int, float)) else 0.0
        return Found(CONSTANT, EXACT, {"value": float(number)})
    if isinstance(law, laws.Haar):
        return Found(ORTHOGONAL, EXACT, {"gain": law.gain})
    kind = {laws.Normal: NORMAL, laws.Uniform: UNIFORM}.get(type(law), CUT_2)
    numbers = {"std": float(law.std)}
    return Found(kind, EXACT, numbers)


@register
class ZeroRow(Check):
    """Rows that are to be zero, as declared or as an embedding's `padding_idx` says."""

    id: ClassVar[str] = "zero-row"
    says: ClassVar[str] = "a padding row is not zero, or a row is zero that is not declared"

    def look(self, given: Examined) -> Iterator[Finding]:
        """Yield rows that are otherwise than they are to be."""
        said = set()
        for name, each in contradictions(given, self.id):
            said.add(name)
            yield Finding(self.id, (name,), each.said)
        for held in given.parameters:
            row = getattr(held.owner, "padding_idx", None)
            if not isinstance(row, int) or held.name in said or held.tensor.ndim != 2:
                continue
            if bool((held.tensor.detach()[row] != 0).any()):
                last = held.history.last
                where = "" if last is None else f"; all rows were last written at {last.place}"
                yield self.of(held, f"row {row}, its padding_idx, is not zero{where}")


@register
class Block(Check):
    """Packed blocks: each by its law, and none the same numbers as another."""

    id: ClassVar[str] = "block"
    says: ClassVar[str] = "a packed block has another law than declared, or blocks are copies"

    def look(self, given: Examined) -> Iterator[Finding]:
        """Yield blocks that contradict their law, and equal parts of an axis with the same noise."""
        said = set()
        for name, each in contradictions(given, self.id):
            said.add(name)
            yield Finding(self.id, (name,), f"{each.said} [{each.name}]{_by(given.named(name))}")
        for held in given.parameters:
            values = array(held.tensor)
            if values is None or held.name in said or values.ndim < 2 or values.size < LEAST:
                continue
            content = held.history.content
            if content is not None and not content.random:
                continue
            if not held.tensor.detach()[0].isfinite().all() or (values == values.flat[0]).all():
                continue
            copies = patterns.repeated(values)
            if copies is not None and (values != 0).mean() > SPARSE:
                axis, count = copies
                yield self.of(
                    held, f"holds the same numbers {count} times along axis {axis}{_by(held)}"
                )


@register
class Tie(Check):
    """Whether what shares memory is declared as tied, and what is declared shares memory."""

    id: ClassVar[str] = "tie"
    says: ClassVar[str] = "a declared tie does not share memory, or one is not declared"

    def look(self, given: Examined) -> Iterator[Finding]:
        """Yield ties that are broken, and those that are not declared."""
        if given.spec is None:
            return
        owner = {one.name: one.tied_to or one.name for one in given.held if one.kept}
        for group in given.spec.tied:
            there = [name for name in group if name in owner]
            for name in there[1:]:
                if owner[name] != owner[there[0]]:
                    said = f"does not share the memory of {there[0]}, as is declared{_by(given.named(name))}"
                    yield Finding(self.id, (name,), said)
        for name, first in owner.items():
            if first != name and first not in given.spec.group_of(name):
                yield Finding(
                    self.id, (name,), f"shares the memory of {first}, which is not declared"
                )


class _Copies(Check):
    """Tensors with the same noise."""

    def look(self, given: Examined) -> Iterator[Finding]:
        """Yield tensors with the numbers of another one, or a multiple of them."""
        for one in given.copies:
            if (one.factor == 1) != (self.id == "copy"):
                continue
            group = () if given.spec is None else given.spec.group_of(one.first)
            if one.second not in group:
                times = "the same numbers as" if one.factor == 1 else f"{one.factor:.5g} times"
                yield Finding(
                    self.id, (one.second,), f"{times} {one.first}{_by(given.named(one.second))}"
                )


@register
class Copy(_Copies):
    """Tensors, blocks or replicas with the same noise."""

    id: ClassVar[str] = "copy"
    says: ClassVar[str] = "two tensors hold the same random numbers, and are not tied"


@register
class ScaledCopy(_Copies):
    """Tensors that are another one times a number."""

    id: ClassVar[str] = "scaled-copy"
    says: ClassVar[str] = "two tensors hold the same random numbers but for a factor"
