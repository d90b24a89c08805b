"""Logarithm and exponential in float64 with the same bits on every machine: + - * /, and shifts of the exponent; nothing passes libm.

Both are within a few units of the last place, which is more than drawing needs.
"""

from __future__ import annotations

import math

import numpy as np

LN2_HIGH, LN2_LOW = 0.6931471803691238, 1.9082149292705877e-10
"""log 2 in two parts, the first short enough that its product with an exponent is exact (fdlibm, e_log.c)."""


def log(x: np.ndarray) -> np.ndarray:
    """The natural logarithm of positive, normal numbers: 2 artanh((m - 1) / (m + 1)) of the mantissa m in [sqrt(1/2), sqrt(2))."""
    mantissa, exponent = np.frexp(x)
    low = mantissa < math.sqrt(0.5)
    mantissa = np.where(low, mantissa * 2.0, mantissa)
    number = (exponent - low).astype(np.float64)
    s = (mantissa - 1.0) / (mantissa + 1.0)
    q = s * s
    series = np.full_like(s, 1 / 23)
    for k in range(21, 0, -2):
        series = series * q + 1 / k
    return number * LN2_HIGH + (2.0 * s * series + number * LN2_LOW)


def exp(x: np.ndarray) -> np.ndarray:
    """e^x for |x| below 700, 0 below that: Taylor's series of the rest modulo log 2."""
    kept = np.maximum(x, -740.0)
    number = np.rint(kept / 0.6931471805599453)
    rest = (kept - number * LN2_HIGH) - number * LN2_LOW
    series = np.ones_like(rest)
    for k in range(16, 0, -1):
        series = series * rest / k + 1.0
    return np.where(x < -740.0, 0.0, np.ldexp(series, number.astype(np.int32)))
