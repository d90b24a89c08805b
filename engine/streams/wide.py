"""From words to float64 values, in operations that give the same bits on every machine: + - * /
sqrt, exact casts, integer operations.

An element has one 64-bit number. A number of more than 53 bits is cast as the sum of two exact
halves, which rounds once.
All floats are IEEE binary64, every operation rounded once; nothing passes through libm.
`docs/streams.md` states each formula.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from initlab.engine.streams.elementary import log, polynomial

HALF_PI = float.fromhex("0x1.921fb54442d18p+0")
SIN_TERMS = tuple(float(Fraction((-1) ** k, math.factorial(2 * k + 1))) for k in range(10))
COS_TERMS = tuple(float(Fraction((-1) ** k, math.factorial(2 * k))) for k in range(10))
"""Taylor's series; the angle is at most pi / 4."""

# The inverse normal distribution function: Wichura, "Algorithm AS 241", Applied Statistics 37
# (1988), PPND16.
CENTRAL = (
    (
        2509.0809287301226727,
        33430.575583588128105,
        67265.770927008700853,
        45921.953931549871457,
        13731.693765509461125,
        1971.5909503065514427,
        133.14166789178437745,
        3.387132872796366608,
    ),
    (
        5226.495278852545925,
        28729.085735721942674,
        39307.89580009271061,
        21213.794301586595867,
        5394.1960214247511077,
        687.1870074920579083,
        42.313330701600911252,
        1.0,
    ),
)
MIDDLE = (
    (
        7.7454501427834140764e-4,
        0.0227238449892691845833,
        0.24178072517745061177,
        1.27045825245236838258,
        3.64784832476320460504,
        5.7694972214606914055,
        4.6303378461565452959,
        1.42343711074968357734,
    ),
    (
        1.05075007164441684324e-9,
        5.475938084995344946e-4,
        0.0151986665636164571966,
        0.14810397642748007459,
        0.68976733498510000455,
        1.6763848301838038494,
        2.05319162663775882187,
        1.0,
    ),
)
FAR = (
    (
        2.01033439929228813265e-7,
        2.71155556874348757815e-5,
        0.0012426609473880784386,
        0.026532189526576123093,
        0.29656057182850489123,
        1.7848265399172913358,
        5.4637849111641143699,
        6.6579046435011037772,
    ),
    (
        2.04426310338993978564e-15,
        1.4215117583164458887e-7,
        1.8463183175100546818e-5,
        7.868691311456132591e-4,
        0.0148753612908506148525,
        0.13692988092273580531,
        0.59983220655588793769,
        1.0,
    ),
)


def _ratio(x: np.ndarray, parts: tuple[tuple[float, ...], tuple[float, ...]]) -> np.ndarray:
    ratio: np.ndarray = polynomial(x, parts[0]) / polynomial(x, parts[1])
    return ratio


def uniform(w: np.ndarray) -> np.ndarray:
    """U[0, 1): 53 bits of each number."""
    return (w >> np.uint64(11)).astype(np.float64) * 2.0**-53


def normal(w: np.ndarray) -> np.ndarray:
    """Standard normals by Box and Muller; `w` has an even number of numbers, from an even element
    on.
    """
    low, high = w[0::2], w[1::2]
    r = np.sqrt(-2.0 * log(((low >> np.uint64(11)) | np.uint64(1)).astype(np.float64) * 2.0**-53))
    quarter = high >> np.uint64(62)
    steps = ((high >> np.uint64(9)) & np.uint64(2**53 - 1)).view(np.int64) - np.int64(2**52)
    angle = steps.astype(np.float64) * 2.0**-53 * HALF_PI  # in [-pi/4, pi/4)
    square = angle * angle
    sine, cosine = angle * polynomial(square, SIN_TERMS[::-1]), polynomial(square, COS_TERMS[::-1])
    odd = (quarter & np.uint64(1)) != 0
    back = (quarter & np.uint64(2)) != 0
    x, y = np.where(odd, -sine, cosine), np.where(odd, cosine, sine)
    out = np.empty(w.size, np.float64)
    out[0::2] = r * np.where(back, -x, x)
    out[1::2] = r * np.where(back, -y, y)
    return out


def _scaled(c: np.ndarray) -> np.ndarray:
    """c 2^-65, c being 64-bit: the sum of two exact halves, rounded once."""
    upper, lower = (
        (c >> np.uint64(32)).astype(np.float64),
        (c & np.uint64(2**32 - 1)).astype(np.float64),
    )
    return (upper * 2.0**32 + lower) * 2.0**-65


def _high_product(w: np.ndarray, factor: int) -> np.ndarray:
    """floor(w factor / 2^64) for a factor of at most 2^64."""
    if factor == 2**64:
        return w.copy()
    half, mask = np.uint64(32), np.uint64(2**32 - 1)
    a1, a0 = w >> half, w & mask
    b1, b0 = np.uint64(factor >> 32), np.uint64(factor & (2**32 - 1))
    middle = a1 * b0 + ((a0 * b0) >> half)
    other = a0 * b1 + (middle & mask)
    upper: np.ndarray = a1 * b1 + (middle >> half) + (other >> half)
    return upper


def truncated_normal(
    w: np.ndarray, low_number: int, high_number: int, low: float, high: float
) -> np.ndarray:
    """Standard normals cut to [low, high] by an inverse distribution function; the numbers are
    round(Phi * 2^64) of the bounds.
    """
    p = _high_product(w, high_number - low_number) + np.uint64(low_number % 2**64)
    s = (p - np.uint64(2**63)).view(np.int64)
    flip = s >> np.int64(63)  # 0 or -1
    doubled = (s ^ flip).view(np.uint64) << np.uint64(1)
    q = _scaled(doubled | np.uint64(1))  # the distance of the probability from 1/2
    tail = _scaled(~doubled)  # the smaller probability
    centre = q * _ratio(0.180625 - q * q, CENTRAL)
    r = np.sqrt(-log(tail))
    z = np.where(
        q <= 0.425, centre, np.where(r <= 5.0, _ratio(r - 1.6, MIDDLE), _ratio(r - 5.0, FAR))
    )
    cut = np.minimum(np.maximum(np.where(flip < 0, -z, z), low), high)
    for bound in (low, high):
        if bound == 0:  # processors differ in whether 0 or -0 is greater: use the bound itself
            cut[cut == bound] = bound
    return cut
