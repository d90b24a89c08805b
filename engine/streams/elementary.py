"""Logarithm and exponential in float64 with the same bits on every machine: + - * /, and shifts of
the exponent; nothing passes libm.

The logarithm is within 3 units of the last place, the exponential within a few; `docs/streams.md`
states the first.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np

LN2_HIGH = float.fromhex("0x1.62e42fee00000p-1")
"""ln 2 cut to 32 bits, so that its product with any exponent here is exact."""
LN2_LOW = float.fromhex("0x1.a39ef35793c76p-33")
"""The rest of ln 2."""
SQRT_HALF_BITS = np.uint64(0x3FE6A09E667F3BCD)
"""Bits of the float64 next above sqrt(1/2)."""
EXPONENT = np.uint64(0xFFF0000000000000)
LOG_TERMS = tuple(float(Fraction(2, 2 * k + 1)) for k in range(11))
"""ln((1 + s) / (1 - s)) = 2 s + 2/3 s^3 + …; |s| is at most 0.1716, so 11 terms leave 1e-18 of it.
"""


def polynomial(x: np.ndarray, coefficients: tuple[float, ...]) -> np.ndarray:
    """Horner's rule, the highest power first."""
    first, *rest = coefficients
    total = np.full_like(x, first)
    for c in rest:
        total = total * x + c
    return total


def log(x: np.ndarray) -> np.ndarray:
    """Return the natural logarithm of positive, normal numbers, from the mantissa m in [sqrt(1/2),
    sqrt(2)) and the exponent.
    """
    bits = np.ascontiguousarray(x).view(np.uint64)
    exponent = (bits - SQRT_HALF_BITS) & EXPONENT
    m = (bits - exponent).view(np.float64)
    e = (exponent.view(np.int64) >> 52).astype(np.float64)
    s = (m - 1.0) / (m + 1.0)
    logarithm: np.ndarray = e * LN2_HIGH + (e * LN2_LOW + s * polynomial(s * s, LOG_TERMS[::-1]))
    return logarithm


def exp(x: np.ndarray) -> np.ndarray:
    """e^x for |x| below 700, 0 below that: Taylor's series of the rest modulo ln 2."""
    kept = np.maximum(x, -740.0)
    number = np.rint(kept / 0.6931471805599453)
    rest = (kept - number * LN2_HIGH) - number * LN2_LOW
    series = np.ones_like(rest)
    for k in range(16, 0, -1):
        series = series * rest / k + 1.0
    return np.where(x < -740.0, 0.0, np.ldexp(series, number.astype(np.int32)))
