"""Ranking for sorting and selection of the largest elements. The sort is stable, as in MXNet."""

from __future__ import annotations

from initlab.engine.arrays import Array, Library


def order(xp: Library, x: Array, axis: int, ascending: bool) -> Array:
    """Return the indices that sort x along an axis, int64, stable in both directions."""
    if ascending:
        return xp.argsort(x, axis=axis, kind="stable")
    back = (slice(None),) * (axis % x.ndim) + (slice(None, None, -1),)
    return x.shape[axis] - 1 - xp.argsort(x[back], axis=axis, kind="stable")[back]


def ranks(xp: Library, numbers: Array, axis: int) -> Array:
    """Return the rank of each element, given the indices that sort."""
    return xp.argsort(numbers, axis=axis, kind="stable")
