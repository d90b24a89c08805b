"""Ranking: the raw order that sorting and choosing the largest elements need. Equal elements keep
their order, as in MXNet.
"""

from __future__ import annotations

from typing import Any


def order(xp: Any, x: Any, axis: int, ascending: bool) -> Any:
    """The numbers that sort x along an axis, int64; equal elements stay in order either way."""
    if ascending:
        return xp.argsort(x, axis=axis, kind="stable")
    back = (slice(None),) * (axis % x.ndim) + (slice(None, None, -1),)
    return x.shape[axis] - 1 - xp.argsort(x[back], axis=axis, kind="stable")[back]


def ranks(xp: Any, numbers: Any, axis: int) -> Any:
    """Which place each element has in an order."""
    return xp.argsort(numbers, axis=axis, kind="stable")
