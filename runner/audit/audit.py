"""The audit of a file of weights: what each tensor's values say about how they were made, and which
tensors have the same noise.
"""

from __future__ import annotations

import hashlib
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from initlab.runner.audit.found import BLOCKS, DRAWN, ORTHOGONAL, TRAINED, UNSET, Found
from initlab.runner.audit.infer import infer
from initlab.runner.audit.scales import Facts, Scale, scales, why
from initlab.runner.check.compare import Side, open_side
from initlab.runner.errors import EvidenceError

FORMAT = "initlab-audit-1"
LOOKED_AT = 4096
"""First elements by which tensors with the same noise are found."""
LEAST = 48
"""Elements of which so many signs agree by chance in none of 10^9 pairs."""
NOISE = (*DRAWN, ORTHOGONAL, BLOCKS, TRAINED)
SAME = 1 - 1e-6
ROUNDED = 1e-3
"""How far from 1 a factor may be that rounding to a narrower type gives."""
OPTIMIZER_STATE = "optimizer state"
OPTIMIZER = (
    "exp_avg", "exp_avg_sq", "max_exp_avg_sq", "momentum_buffer", "square_avg", "sum", "step",
)  # fmt: skip
"""What torch's optimizers keep for a parameter, which nobody initializes."""


@dataclass(frozen=True)
class Contradiction:
    """What contradicts a declaration, or every one: a name for it, and a sentence."""

    name: str
    said: str


@dataclass(frozen=True)
class Judged:
    """A tensor of a file. `found` is None for one that cannot be read, for the reason `unread`."""

    name: str
    shape: tuple[int, ...] = ()
    dtype: str = ""
    found: Found | None = None
    scales: tuple[Scale, ...] = ()
    why: str = ""
    """Why several scales fit."""
    unread: str = ""
    contradictions: tuple[Contradiction, ...] = ()


@dataclass(frozen=True)
class Copy:
    """Two tensors with the same noise, the second `factor` times the first."""

    first: str
    second: str
    factor: float

    def __str__(self) -> str:
        times = "the same numbers as" if self.factor == 1 else f"{self.factor:.5g} times"
        if self.factor != 1 and abs(self.factor - 1) < ROUNDED:
            times = "the same numbers, but for rounding, as"
        return f"{self.second}: {times} {self.first}"


@dataclass(frozen=True)
class Audit:
    """The result for one file."""

    path: Path
    tensors: tuple[Judged, ...]
    ties: Mapping[str, str]
    copies: tuple[Copy, ...]
    whole: tuple[Contradiction, ...] = field(default=())
    """What contradicts the declaration of the file as a whole."""

    @property
    def contradicted(self) -> bool:
        """Whether anything contradicts a declaration, or every one."""
        return bool(self.whole) or any(one.contradictions for one in self.tensors)

    @property
    def unread(self) -> bool:
        """Whether a tensor cannot be read."""
        return any(one.unread for one in self.tensors)

    @property
    def code(self) -> int:
        """The exit code: 1 contradicted, 2 not all could be read, 0 neither."""
        return 1 if self.contradicted else 2 if self.unread else 0


def audit(path: Path, facts: Facts) -> Audit:
    """Return what the values of a file say. Raises EvidenceError if it cannot be read, or holds no
    tensors.
    """
    return audit_side(opened(path), facts)


def opened(path: Path) -> Side:
    """Return the tensors of a file or a run. Raises EvidenceError like `audit`."""
    side = open_side(path)
    if side.tensors or side.unread:
        return side
    if side.digests:
        raise EvidenceError(f"{path}: the run kept no snapshot - run it with snapshot=safetensors")
    raise EvidenceError(f"{path}: holds no tensors, so it is no file of weights")


def audit_side(side: Side, facts: Facts) -> Audit:
    """Return what the values of tensors say, which may come from a file or a live model."""
    judged = [judge(name, values, facts) for name, values in side.tensors.items()]
    unread = [Judged(name, unread=reason) for name, reason in side.unread.items()]
    noisy = {
        one.name: side.tensors[one.name]
        for one in judged
        if one.found is not None and one.found.kind in NOISE
    }
    return Audit(side.place, (*judged, *unread), side.aliases or {}, tuple(copies(noisy)))


def judge(name: str, values: np.ndarray, facts: Facts) -> Judged:
    """Return what the values of one tensor say."""
    shape, dtype = values.shape, values.dtype.name
    if name.rpartition(".")[2] in OPTIMIZER and ".state." in f".{name}":
        return Judged(name, shape, dtype, Found(OPTIMIZER_STATE, values.size))
    found = infer(values)
    named = scales(found, shape, facts, dtype)
    against = (Contradiction("unset", found.remarks[0]),) if found.kind == UNSET else ()
    return Judged(name, shape, dtype, found, tuple(named), why(found, named), "", against)


def copies(tensors: Mapping[str, np.ndarray]) -> Iterable[Copy]:
    """Yield pairs of tensors with the same noise: each with the first that has it."""
    groups: dict[bytes, list[str]] = defaultdict(list)
    for name, values in tensors.items():
        first = _beginning(values)
        if first.size >= LEAST and 0 < np.count_nonzero(first > 0) < first.size:
            text = np.packbits(first > 0).tobytes() + str(first.size).encode()
            groups[hashlib.blake2b(text, digest_size=16).digest()].append(name)
    for first_name, *others in groups.values():
        x = _beginning(tensors[first_name])
        for name in others:
            y = _beginning(tensors[name])
            norms = math.sqrt(float(x @ x) * float(y @ y))
            if norms and float(x @ y) > SAME * norms:
                factor = 1.0 if np.array_equal(x, y) else float(x @ y) / float(x @ x)
                yield Copy(first_name, name, factor)


def _beginning(values: np.ndarray) -> np.ndarray:
    first: np.ndarray = values.flat[:LOOKED_AT].astype(np.float64)
    return np.where(np.isfinite(first), first, 0.0)


def describe(found: Audit) -> dict[str, object]:
    """Return an audit as JSON types; docs/audit.md describes them."""
    return {
        "format": FORMAT,
        "file": str(found.path),
        "contradicted": found.contradicted,
        "tensors": [_described(one) for one in found.tensors],
        "ties": dict(found.ties),
        "copies": [asdict(one) for one in found.copies],
        "contradictions": [asdict(one) for one in found.whole],
    }


def _described(one: Judged) -> dict[str, object]:
    described: dict[str, object] = {"name": one.name}
    if one.unread:
        return described | {"unread": one.unread}
    assert one.found is not None
    return described | {
        "shape": list(one.shape),
        "dtype": one.dtype,
        "law": _law(one.found),
        "scales": [asdict(scale) for scale in one.scales],
        "why": one.why,
        "contradictions": [asdict(each) for each in one.contradictions],
    }


def _law(found: Found) -> dict[str, object]:
    described: dict[str, object] = {
        "kind": found.kind,
        **found.numbers,
        "fresh": found.fresh,
        "remarks": list(found.remarks),
        "others": found.others,
    }
    if found.parts:
        described |= {"axis": found.axis, "parts": [_law(part) for part in found.parts]}
    return described
