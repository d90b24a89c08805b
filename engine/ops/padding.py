"""Padding with a constant, the edge, or the array itself, mirrored or wrapped around."""

from __future__ import annotations

from collections.abc import Sequence

from initlab.engine.arrays import Array, Library
from initlab.engine.autograd import primitive
from initlab.engine.tape import Result


def _cut(
    axis: int, start: int | None, stop: int | None, step: int | None = None
) -> tuple[slice, ...]:
    return (slice(None),) * axis + (slice(start, stop, step),)


def _folded(xp: Library, g: Array, axis: int, before: int, after: int, mode: str) -> Array:
    """Return the gradient along one axis: its middle plus the contributions of the padding."""
    n = g.shape[axis] - before - after
    middle = g[_cut(axis, before, before + n)]
    if mode == "constant":
        return middle
    for width, at_start in ((before, True), (after, False)):
        if not width:
            continue
        end = g[_cut(axis, 0, width)] if at_start else g[_cut(axis, before + n, None)]
        if mode == "edge":
            end, start = xp.sum(end, axis=axis, keepdims=True), 0 if at_start else n - 1
        elif mode == "wrap":
            start = n - width if at_start else 0
        else:
            end, start = end[_cut(axis, None, None, -1)], 1 if at_start else n - 1 - width
        around = [(0, 0)] * g.ndim
        around[axis] = (start, n - start - end.shape[axis])
        middle = middle + xp.pad(end, around)
    return middle


def _extended(xp: Library, x: Array, axis: int, before: int, after: int, mode: str) -> Array:
    """Extend x along one axis before and after by its edge, its mirrored elements, or its opposite
    end.
    """
    n = x.shape[axis]
    if mode == "edge":
        parts = [x[_cut(axis, 0, 1)]] * before + [x] + [x[_cut(axis, n - 1, n)]] * after
    elif mode == "wrap":
        parts = [x[_cut(axis, n - before, n)], x, x[_cut(axis, 0, after)]]
    else:
        parts = [
            x[_cut(axis, 1, before + 1)][_cut(axis, None, None, -1)],
            x,
            x[_cut(axis, n - 1 - after, n - 1)][_cut(axis, None, None, -1)],
        ]
    return xp.concatenate([part for part in parts if part.shape[axis]], axis=axis)


@primitive
def pad(
    xp: Library,
    x: Array,
    *,
    widths: Sequence[tuple[int, int]],
    mode: str = "constant",
    value: float = 0.0,
) -> Result:
    """x with `widths`, a pair for each axis, of elements before and after.

    `mode` is constant, edge, reflect or wrap. The caller makes sure that a width for wrap is at
    most the length of the axis, and for reflect less than it.
    """
    if mode == "constant":
        y = xp.pad(x, widths, constant_values=value)
    else:
        y = x
        for axis, (before, after) in enumerate(widths):
            y = _extended(xp, y, axis, before, after, mode) if before or after else y

    def vjp(g: Array) -> tuple[Array]:
        for axis, (before, after) in enumerate(widths):
            g = _folded(xp, g, axis, before, after, mode)
        return (g,)

    return y, vjp
