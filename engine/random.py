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
    """Begin all streams anew from a seed. Unlike MXNet's, a stream is the same on every device, so
    `ctx` may name any.
    """
    if isinstance(seed_state, bool) or not isinstance(seed_state, int):
        raise ValueError("seed_state must be int")
    streams.seed(seed_state % 2**64)


use = streams.use
version = streams.version
