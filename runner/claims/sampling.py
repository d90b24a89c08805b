"""Tail probabilities of the normal and Student's distribution, and Holm's rule for multiple tests."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

STEPS = 500
"""Terms of a continued fraction at most; a few dozen suffice for every tail in use."""
TINY = 1e-300


def _beta_fraction(a: float, b: float, x: float) -> float:
    """Evaluate the continued fraction of the incomplete beta function (DLMF 8.17.22) by Lentz's
    method.
    """
    c, d = 1.0, 1.0 / _away(1.0 - (a + b) * x / (a + 1.0))
    total = d
    for m in range(1, STEPS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d = 1.0 / _away(1.0 + term * d)
            c = _away(1.0 + term / c)
            total *= c * d
        if abs(c * d - 1.0) < 1e-15:
            break
    return total


def _away(x: float) -> float:
    return x if abs(x) > TINY else TINY


def incomplete_beta(a: float, b: float, x: float) -> float:
    """Return I_x(a, b), the regularized incomplete beta function, for a, b > 0 and x in [0, 1]."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    front = math.exp(
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    )
    if x < (a + 1) / (a + b + 2):
        return front * _beta_fraction(a, b, x) / a
    return 1 - front * _beta_fraction(b, a, 1 - x) / b


def tail(deviate: float, freedom: float) -> float:
    """Return P(T > deviate) for Student's T with `freedom` degrees of freedom; inf is the normal
    one.
    """
    if math.isnan(deviate):
        return math.nan
    if deviate < 0:
        return 1 - tail(-deviate, freedom)
    if math.isinf(freedom):
        return 0.5 * math.erfc(deviate / math.sqrt(2))
    return 0.5 * incomplete_beta(freedom / 2, 0.5, freedom / (freedom + deviate * deviate))


def deviate_of(probability: float, freedom: float) -> float:
    """Return the deviate >= 0 whose `tail` is `probability`: 0 from 1/2 on, infinity for 0."""
    if probability >= 0.5:
        return 0.0
    if probability <= 0:
        return math.inf
    low, high = 0.0, 1.0
    while tail(high, freedom) > probability and high < TINY**-0.5:
        high *= 2
    for _ in range(200):
        middle = 0.5 * (low + high)
        if middle in (low, high):
            break
        low, high = (middle, high) if tail(middle, freedom) > probability else (low, middle)
    return 0.5 * (low + high)


def holm(probabilities: Sequence[float], level: float) -> list[bool]:
    """Return for each hypothesis whether it is rejected, by Holm's rule.

    The probability of rejecting any true one is at most `level`, for any dependence between the
    tests. Source: Holm, "A simple sequentially rejective multiple test procedure", 1979.
    """
    rejected = [False] * len(probabilities)
    left = len(probabilities)
    for number in sorted(range(len(probabilities)), key=lambda i: probabilities[i]):
        if not probabilities[number] <= level / left:
            break
        rejected[number] = True
        left -= 1
    return rejected


def first_enough(enough: Callable[[int], bool], start: int, most: int = 1_000_000) -> int | None:
    """Return the smallest count from `start` on for which `enough` is true, or None if even `most`
    is not.

    `enough` must stay true for all larger counts.
    """
    if enough(start):
        return start
    low, high = start, start
    while not enough(high):
        if high >= most:
            return None
        low, high = high, min(2 * high + 1, most)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high
