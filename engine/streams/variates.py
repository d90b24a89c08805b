"""Distributions beyond uniform and normal, drawn from an exact stream with the same bits on every
machine.

A discrete distribution is inverted: a uniform value of 53 bits is looked up in its cumulative
weights. The weights are products of one correctly rounded number; sums go from left to right.
Nothing passes through libm.
"""

from __future__ import annotations

import decimal
import math

import numpy as np

from initlab.engine.errors import StreamError
from initlab.engine.streams import elementary
from initlab.engine.streams.stream import Stream
from initlab.engine.streams.words import wide_words

MOST_WEIGHTS = 10**6
PART = 500.0
"""A distribution whose first weight would be below e^-500 is drawn as a sum of several."""
NEGLIGIBLE = 2.0**-64


def fractions(stream: Stream, size: int) -> np.ndarray:
    """`size` values of U[0, 1), float64."""
    return stream.uniform(0.0, 1.0, size, "float64")


def _above_zero(stream: Stream, size: int) -> np.ndarray:
    """`size` values of U(0, 1)."""
    return fractions(stream, size) + 2.0**-54


def exponential(stream: Stream, scale: float, size: int) -> np.ndarray:
    """`size` values of an exponential distribution with this mean, float64."""
    return -scale * elementary.log(_above_zero(stream, size))


def gamma(stream: Stream, alpha: float, beta: float, size: int) -> np.ndarray:
    """`size` values of a gamma distribution of shape alpha and scale beta, float64 (Marsaglia and
    Tsang 2000).
    """
    boosted = alpha if alpha >= 1 else alpha + 1
    d = boosted - 1 / 3
    c = 1 / np.sqrt(9 * d)
    out = np.empty(size)
    left = np.arange(size)
    while left.size:
        x = stream.normal(0.0, 1.0, left.size, "float64")
        log_u = elementary.log(_above_zero(stream, left.size))
        root = 1 + c * x
        v = np.where(root > 0, root * root * root, 1.0)
        accepted = (root > 0) & (log_u < 0.5 * x * x + d - d * v + d * elementary.log(v))
        out[left[accepted]] = d * v[accepted]
        left = left[~accepted]
    if alpha < 1:
        out = out * elementary.exp(elementary.log(_above_zero(stream, size)) / alpha)
    return out * beta


def _power(log_of: float, times: float) -> float:
    """log_of ** times, rounded once."""
    with decimal.localcontext(decimal.Context(prec=60)):
        return float((decimal.Decimal(log_of).ln() * decimal.Decimal(times)).exp())


def _looked_up(stream: Stream, weights: list[float], size: int) -> np.ndarray:
    """Return `size` numbers, each with the probability of its weight.

    The last number gets what rounding leaves of 1.
    """
    cumulative = np.cumsum(np.array(weights))
    return np.minimum(
        np.searchsorted(cumulative, fractions(stream, size), side="right"), len(weights) - 1
    )


def poisson(stream: Stream, lam: float, size: int) -> np.ndarray:
    """`size` whole numbers of a Poisson distribution, int64. Drawing takes time in proportion to
    its mean.
    """
    parts = max(1, math.ceil(lam / PART))
    mean = lam / parts
    with decimal.localcontext(decimal.Context(prec=60)):
        weights = [float((-decimal.Decimal(mean)).exp())]
    while len(weights) <= mean or weights[-1] > NEGLIGIBLE:
        weights.append(weights[-1] * mean / len(weights))
    total = np.zeros(size, np.int64)
    for _ in range(parts if lam else 0):
        total += _looked_up(stream, weights, size)
    return total


def negative_binomial(stream: Stream, k: float, p: float, size: int) -> np.ndarray:
    """Return `size` numbers of failures before the k-th success of probability p, int64.

    k may be any positive number. Raises StreamError if the mean is so large that the table of
    weights would not fit.
    """
    if p == 1 or k == 0:
        return np.zeros(size, np.int64)
    parts = max(1, math.ceil(-k * float(elementary.log(np.array([p]))[0]) / PART))
    successes, q = k / parts, 1 - p
    if successes * q / p > MOST_WEIGHTS / 100:
        raise StreamError(
            f"a negative binomial distribution with k={k:g} and p={p:g} has too large a mean to be "
            "drawn exactly"
        )
    weights = [_power(p, successes)]
    while len(weights) <= successes * q / p or weights[-1] > NEGLIGIBLE:
        weights.append(weights[-1] * ((successes + len(weights) - 1) * q / len(weights)))
    total = np.zeros(size, np.int64)
    for _ in range(parts):
        total += _looked_up(stream, weights, size)
    return total


def categorical(stream: Stream, weights: np.ndarray, size: int) -> np.ndarray:
    """`size` numbers, each drawn in proportion to its weight, int64; sums are float64, from left to
    right.
    """
    cumulative = np.cumsum(weights.astype(np.float64))
    last = int(np.flatnonzero(weights)[-1])
    drawn = np.searchsorted(cumulative, fractions(stream, size) * cumulative[-1], side="right")
    return np.asarray(np.minimum(drawn, last))


def permutation(stream: Stream, size: int) -> np.ndarray:
    """Return the numbers below `size` in random order, int64. They are sorted by random 64-bit
    keys; equal keys keep their order.
    """
    return np.argsort(wide_words(stream.key, stream.take_wide(size), size), kind="stable")
