"""float32 arithmetic as vector instructions with fused multiply-add do it, in NumPy: `a b + c` rounded
once, and the logarithm, sine and cosine of Cephes in that arithmetic.

torch's CPU kernels for AVX2 draw normals with these functions. Every step is one IEEE operation, so the
bits are the same on every machine. Source of the algorithms and constants: S. Moshier's Cephes library
(logf.c, sinf.c), in the order of operations of torch's ATen/native/cpu/avx_mathfun.h.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

F = np.float32
Number: TypeAlias = "np.ndarray | np.float32"
HALFWAY, BELOW = 1 << 28, (1 << 29) - 1
"""The bits of a float64 that a float32 lacks, and their value in the middle of two float32."""
SMALLEST_NORMAL = float(np.finfo(F).tiny)

SQRT_HALF = F(0.707106781186547524)
LOG_TERMS = tuple(
    map(
        F,
        (
            7.0376836292e-2,
            -1.1514610310e-1,
            1.1676998740e-1,
            -1.2420140846e-1,
            1.4249322787e-1,
            -1.6668057665e-1,
            2.0000714765e-1,
            -2.4999993993e-1,
            3.3333331174e-1,
        ),
    )
)
LN2_LOW, LN2_HIGH = F(-2.12194440e-4), F(0.693359375)
FOUR_OVER_PI = F(1.27323954473516)
QUARTER_PI = tuple(map(F, (-0.78515625, -2.4187564849853515625e-4, -3.77489497744594108e-8)))
"""-pi/4 in three parts."""
COS_TERMS = tuple(map(F, (2.443315711809948e-005, -1.388731625493765e-003, 4.166664568298827e-002)))
SIN_TERMS = tuple(map(F, (-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1)))


def fused(a: Number, b: Number, c: Number) -> np.ndarray:
    """Return a b + c of float32 numbers, rounded once to float32.

    The product is exact in float64. The sum is rounded there; where that would change the second
    rounding, it is first moved by one unit towards the exact sum.
    """
    product = np.asarray(np.asarray(a, np.float64) * np.asarray(b, np.float64))
    total = np.asarray(product + np.asarray(c, np.float64))
    unsure = (total.view(np.int64) & BELOW) == HALFWAY
    unsure |= np.abs(total) < SMALLEST_NORMAL
    if unsure.any():
        added = np.broadcast_to(np.asarray(c, np.float64), total.shape)
        total[unsure] = _to_odd(product[unsure], added[unsure], total[unsure])
    return np.asarray(total.astype(F))


def _to_odd(a: np.ndarray, b: np.ndarray, total: np.ndarray) -> np.ndarray:
    """Return the float64 sums a + b, rounded to odd: an inexact sum whose last bit is 0 is moved by
    one unit towards the exact sum (Boldo and Melquiond 2008).
    """
    part = total - a
    error = (a - (total - part)) + (b - part)
    even = (total.view(np.int64) & 1) == 0
    moved = np.nextafter(total, np.where(error > 0, np.inf, -np.inf))
    return np.where((error != 0) & even, moved, total)


def _horner(x: np.ndarray, terms: tuple[np.float32, ...]) -> np.ndarray:
    total = np.full_like(x, terms[0])
    for term in terms[1:]:
        total = fused(total, x, term)
    return total


def log(x: np.ndarray) -> np.ndarray:
    """Return the natural logarithm of positive, normal float32 numbers."""
    bits = x.view(np.int32)
    exponent = ((bits >> 23) - 0x7F).astype(F) + F(1)
    m = ((bits & ~np.int32(0x7F800000)) | np.int32(0x3F000000)).view(F)
    small = m < SQRT_HALF
    exponent = exponent - small.astype(F)
    m = (m - F(1)) + np.where(small, m, F(0))
    square = m * m
    series = fused(_horner(m, LOG_TERMS) * m, square, exponent * LN2_LOW)
    series = fused(-square, F(0.5), series)
    return fused(exponent, LN2_HIGH, m + series)


def sine_and_cosine(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return (sin x, cos x) of float32 numbers that are not negative and below 8192."""
    octant = (x * FOUR_OVER_PI).astype(np.int32)
    octant = (octant + 1) & ~np.int32(1)
    number = octant.astype(F)
    for part in QUARTER_PI:
        x = fused(number, part, x)
    square = x * x
    cosine = fused(_horner(square, COS_TERMS) * square, square, -square * F(0.5)) + F(1)
    sine = fused(_horner(square, SIN_TERMS) * square, x, x)
    straight = (octant & 2) == 0
    sin, cos = np.where(straight, sine, cosine), np.where(straight, cosine, sine)
    return (
        np.where((octant & 4) != 0, -sin, sin),
        np.where((~(octant - 2) & 4) != 0, -cos, cos),
    )
