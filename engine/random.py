"""MXNet's public face of random numbers: `mx.random.seed` and the distributions, over
`engine.streams`.
"""

from __future__ import annotations

from typing import Any

from initlab.engine import streams
from initlab.engine.nd.random import (
    exponential,
    gamma,
    generalized_negative_binomial,
    multinomial,
    negative_binomial,
    normal,
    poisson,
    randint,
    randn,
    shuffle,
    uniform,
)
from initlab.engine.streams.key import whole_number

__all__ = [
    "exponential",
    "gamma",
    "generalized_negative_binomial",
    "multinomial",
    "negative_binomial",
    "normal",
    "poisson",
    "randint",
    "randn",
    "seed",
    "shuffle",
    "uniform",
    "use",
    "version",
]


def seed(seed_state: int, ctx: Any = "all") -> None:
    """Begin all streams anew from a seed, a whole number from -2^63 to 2^64-1. Unlike MXNet's, a
    stream is the same on every device, so `ctx` may name any.

    A negative seed s is the seed 2^64 + s. Raises ValueError for anything else.
    """
    number = whole_number(seed_state)
    if number is None:
        raise ValueError("seed_state must be int")
    if not -(2**63) <= number < 2**64:
        raise ValueError(f"seed_state must be -2^63 ... 2^64-1, got {number}")
    streams.seed(number % 2**64)


use = streams.use
version = streams.version
