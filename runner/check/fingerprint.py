"""The fingerprint that a lock stores for a tensor whose law is exact to a tolerance only.

    largest    max |x|
    signs      COUNT sums of s x / sqrt(n) over all n elements. The signs s are bits of the stream
               initlab-1 under a fixed key
    elements   COUNT elements, evenly spaced from the first to the last in C order

It allows a comparison with values drawn on another machine. Each number may differ by the tolerance
that `verify` allows an element: `recompute.tolerance`, relative to the largest value or 1. For
`elements` and `largest` this is verify's own condition. A sum in `signs` of n independent rounding
errors is as large as one of them, so the same bound applies. Different values, or a different sign
or order of some, change every sum by about the root mean square of the change times the square root
of the fraction of elements changed. `signs` may miss a small change of few elements of a large
tensor: a change of one element by d changes the sums by d / sqrt(n). The law's invariants, which
are computed from the new values, detect such changes.

Numbers are rounded to DIGITS decimals of the largest value or 1, so that locks made on different
machines seldom differ in text.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

import numpy as np

from initlab.engine import streams
from initlab.runner.check.recompute import tolerance
from initlab.runner.json_values import JSON

COUNT = 8
DIGITS = 6
BLOCK = 1 << 18
KEY = streams.Key(0, "initlab-lock-1/signs", 0)


@dataclass(frozen=True)
class Fingerprint:
    """The numbers of a fingerprint; `dtype` decides the tolerance."""

    dtype: str
    largest: float
    signs: list[float]
    elements: list[float]

    def describe(self) -> dict[str, JSON]:
        """Return the fingerprint as JSON types."""
        return asdict(self)


def fingerprint_of(values: np.ndarray) -> Fingerprint:
    """Return the fingerprint of a tensor. Raises ValueError if a value is not finite."""
    flat = values.reshape(-1)
    largest, sums = 0.0, np.zeros((COUNT, 0))
    for start in range(0, flat.size, BLOCK):
        block = flat[start : start + BLOCK].astype(np.float64)
        largest = max(largest, float(np.abs(block).max()))
        words = streams.words(KEY, start, block.size)
        signed = [
            float(np.where(words >> np.uint32(bit) & np.uint32(1), block, -block).sum())
            for bit in range(COUNT)
        ]
        sums = np.column_stack([sums, signed])
        if not math.isfinite(largest) or not np.isfinite(block).all():
            raise ValueError("values that are not finite cannot be compared to a tolerance")
    places = (
        sorted({number * (flat.size - 1) // (COUNT - 1) for number in range(COUNT)})
        if flat.size
        else []
    )
    decimals = DIGITS - math.ceil(math.log10(max(1.0, largest)))
    root = math.sqrt(max(1, flat.size))

    def kept(value: float) -> float:
        return round(float(value), decimals) + 0.0

    return Fingerprint(
        values.dtype.name,
        kept(largest),
        [kept(math.fsum(row) / root) for row in sums],
        [kept(flat[at]) for at in places],
    )


def difference(locked: Fingerprint, found: Fingerprint) -> str | None:
    """Return what differs in the new fingerprint, or None if all numbers are within the tolerance."""
    if (
        locked.dtype != found.dtype
        or len(locked.elements) != len(found.elements)
        or len(locked.signs) != len(found.signs)
    ):
        return (
            f"{locked.dtype} with {len(locked.elements)} sampled elements, now {found.dtype} with "
            f"{len(found.elements)}"
        )
    scale = max(1.0, locked.largest)
    allowed = (tolerance(locked.dtype) + 10.0**-DIGITS) * scale
    for name in ("elements", "signs"):
        apart = max(
            (abs(a - b) for a, b in zip(getattr(locked, name), getattr(found, name), strict=True)),
            default=0.0,
        )
        if not apart <= allowed:
            what = {"elements": "sampled elements", "signs": "signed sums"}[name]
            return f"{what} differ by {apart:.3g} at most, {allowed:.3g} is allowed"
    if not abs(locked.largest - found.largest) <= allowed:
        return f"the largest value is {found.largest:.6g}, was {locked.largest:.6g}, {allowed:.3g} is allowed"
    return None
