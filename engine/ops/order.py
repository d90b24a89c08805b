"""Ranking: the raw order that sorting and choosing the largest elements need. Equal elements keep
their order, as in MXNet.
"""

from __future__ import annotations

from initlab.engine.arrays import Array, Library


def order(xp: Library, x: Array, axis: int, ascending: bool) -> Array:
    """The numbers that sort x along an axis, int64; equal elements stay in order either way."""
    if ascending:
        return xp.argsort(x, axis=axis, kind="stable")
    back = (slice(None),) * (axis % x.ndim) + (slice(None, None, -1),)
    return x.shape[axis] - 1 - xp.argsort(x[back], axis=axis, kind="stable")[back]


def ranks(xp: Library, numbers: Array, axis: int) -> Array:
    """Which place each element has in an order."""
    return xp.argsort(numbers, axis=axis, kind="stable")
