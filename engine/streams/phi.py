"""The standard normal distribution function in decimal arithmetic. Bounds and corrections are
computed with it, so they are the same on every machine.

libm's erfc and exp differ between machines in the last bit, and both the bounds of a truncated
normal and its deviation after the cut (by which some initializers divide) reach the values that are
drawn.
"""

from __future__ import annotations

from decimal import Decimal, localcontext
from functools import lru_cache

PI = Decimal("3.14159265358979323846264338327950288419716939937510582097494")
NOTHING_BEYOND = 10
"""Phi(-10) * 2^64 is 1.4e-4: such a bound cuts nothing off."""
DIGITS = 120
"""Decimal digits for the moments, which lose up to 40 digits if the bounds are close."""


@lru_cache(maxsize=256)
def phi_word(x: float, bits: int = 32) -> int:
    """round(Phi(x) * 2^bits), Phi being the standard normal distribution function."""
    if abs(x) >= NOTHING_BEYOND:
        return 0 if x < 0 else 2**bits
    with localcontext() as context:
        context.prec = 60
        z = Decimal(float(x))
        density = _bell(z) / (2 * PI).sqrt()
        return int(((Decimal("0.5") + density * _series(z)) * 2**bits).to_integral_value())


@lru_cache(maxsize=256)
def truncated_moments(low: float, high: float) -> tuple[float, float, float]:
    """(mean, standard deviation, excess kurtosis) of the standard normal cut to [low, high]."""
    with localcontext() as context:
        context.prec = DIGITS
        a, b = (
            Decimal(max(-NOTHING_BEYOND, min(NOTHING_BEYOND, float(bound))))
            for bound in (low, high)
        )
        mass = _bell(b) * _series(b) - _bell(a) * _series(
            a
        )  # sqrt(2 pi) times the probability between the bounds
        m = [Decimal(1)]
        for k in range(1, 5):  # E[z^k] by partial integration
            edges = [_bell(x) * (x ** (k - 1) if k > 1 else 1) for x in (a, b)]
            m.append((edges[0] - edges[1]) / mass + ((k - 1) * m[k - 2] if k > 1 else 0))
        variance = m[2] - m[1] ** 2
        fourth = m[4] - 4 * m[1] * m[3] + 6 * m[1] ** 2 * m[2] - 3 * m[1] ** 4
        return float(m[1]), float(variance.sqrt()), float(fourth / variance**2 - 3)


def _bell(z: Decimal) -> Decimal:
    return (-z * z / 2).exp()


def _series(z: Decimal) -> Decimal:
    """(Phi(z) - 1/2) / density = z + z^3/3 + z^5/15 + …"""
    term = total = z
    k = 1
    while term and term.adjusted() > total.adjusted() - DIGITS:
        k += 2
        term = term * z * z / k
        total += term
    return total
