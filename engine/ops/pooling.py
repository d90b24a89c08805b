"""Pooling: maximum, mean, sum or p-norm of windows over the spatial axes of (batch, channels,
*space).

A maximum or sum over a window is that over one axis, then over the next, so each axis is pooled on
its own, the last first (`engine.ops.windows` has the order in memory).
"""

from __future__ import annotations

import math
from collections.abc import Callable

from initlab.engine.arrays import Array, Library, Operand
from initlab.engine.autograd import primitive
from initlab.engine.ops.windows import Sizes, Windows, inner, outer, output_space
from initlab.engine.tape import Result

LOWEST = {
    "float16": -65504.0,
    "float32": -3.4028234663852886e38,
    "float64": -1.7976931348623157e308,
}
"""The value of padding in max pooling, and of a window of padding only (as in MXNet)."""


Step = Callable[[Array], Array]
"""A step back: the gradient of what pooling along an axis gave -> that of what it was given."""


def _stages(space: Sizes, kernel: Sizes, stride: Sizes, pad: Sizes, ceil: bool) -> list[Windows]:
    """Return the windows along each axis alone, of those axes that are changed, the last axis first."""
    ones, zeros = (1,) * len(space), (0,) * len(space)
    out = output_space(space, kernel, stride, pad, ones, ceil)
    stages = []
    for axis in reversed(range(len(space))):
        at = slice(axis, axis + 1)

        def alone(sizes: Sizes, others: Sizes, at: slice = at) -> Sizes:
            return (*others[: at.start], *sizes[at], *others[at.stop :])

        after = alone(out, space)
        stage = Windows(
            space, alone(kernel, ones), alone(stride, ones), alone(pad, zeros), ones, after
        )
        stages += [] if stage.single else [stage]
        space = after
    return stages


def _maximum(xp: Library, x: Array, windows: Windows) -> tuple[Array, Step]:
    """Return the maximum of each window of x (channels, *space, batch), and the step back.

    The gradient goes to the first of equal elements: to the last one if to none before it.
    """
    phases = windows.lay(xp, x, LOWEST.get(str(x.dtype), -math.inf))
    parts = [phases[index] for index in windows.positions()]
    y = parts[0]
    for part in parts[1:]:
        y = xp.maximum(y, part)

    def back(g: Array) -> Array:
        pieces = []
        for part in parts[:-1]:
            pieces.append(g * (part == y))
            g = g - pieces[-1]
        return windows.fold(xp, [*pieces, g])

    return y, back


def _sum(xp: Library, x: Array, windows: Windows) -> tuple[Array, Step]:
    """Return the sum of each window of x (channels, *space, batch), and the step back."""
    phases = windows.lay(xp, x)
    first, *others = (phases[index] for index in windows.positions())
    y = first
    for part in others:
        y = y + part
    return y, lambda g: windows.fold(xp, [g] * windows.count)


def _pooled(
    xp: Library,
    x: Array,
    pool: Callable[[Library, Array, Windows], tuple[Array, Step]],
    stages: list[Windows],
) -> tuple[Array, Step]:
    """Pool x (batch, channels, *space) by `pool` along each axis; return (channels, *out, batch) and
    the step back, between arrays of these orders.
    """
    y, steps = inner(xp, x), []
    for windows in stages:
        y, step = pool(xp, y, windows)
        steps.append(step)

    def back(g: Array) -> Array:
        for step in reversed(steps):
            g = step(g)
        return outer(xp, g)

    return y, back


def _is_global(x: Array, kernel: Sizes, pad: Sizes) -> bool:
    return tuple(x.shape[2:]) == tuple(kernel) and not any(pad)


@primitive
def max_pool(
    xp: Library, x: Array, *, kernel: Sizes, stride: Sizes, pad: Sizes, ceil: bool = False
) -> Result:
    """The maximum of each window; the first of equal elements gets the gradient."""
    if _is_global(x, kernel, pad):
        flat = x.reshape((*x.shape[:2], -1))
        at = xp.argmax(flat, axis=2, keepdims=True)
        y = xp.max(flat, axis=2, keepdims=True).reshape((*x.shape[:2], *(1 for _ in kernel)))

        def from_all(g: Array) -> tuple[Array]:
            chosen = (xp.arange(flat.shape[2]).reshape((1, 1, -1)) == at).astype(x.dtype)
            return ((chosen * g.reshape((*x.shape[:2], 1))).reshape(x.shape),)

        return y, from_all
    y, back = _pooled(xp, x, _maximum, _stages(tuple(x.shape[2:]), kernel, stride, pad, ceil))
    y = y.copy() if math.prod(kernel) == 1 else y  # a maximum of one is a view
    return outer(xp, y), lambda g: (back(inner(xp, g)),)


def _counts(n: int, k: int, s: int, p: int, out: int, include_pad: bool) -> list[int]:
    """Return the number of elements of each window along an axis; beyond the padding nothing
    counts.
    """
    low, high = (0, n + 2 * p) if include_pad else (p, p + n)
    return [max(0, min(high, i * s + k) - max(low, i * s)) for i in range(out)]


def _count(
    xp: Library, x: Array, kernel: Sizes, stride: Sizes, pad: Sizes, out: Sizes, include_pad: bool
) -> Operand:
    """Return the number of elements of each window, at least 1.

    It is one number if all are equal, else an array (1, *out, 1).
    """
    total: Operand = 1
    by_axis = [
        _counts(*numbers, include_pad)
        for numbers in zip(x.shape[2:], kernel, stride, pad, out, strict=True)
    ]
    if all(len(set(counts)) == 1 for counts in by_axis):
        return max(1, math.prod(counts[0] for counts in by_axis))
    for axis, counts in enumerate(by_axis):
        total = total * xp.asarray(counts, dtype=x.dtype).reshape(
            tuple(-1 if i == axis else 1 for i in range(len(out)))
        )
    return xp.maximum(total, xp.ones_like(total)).reshape((1, *out, 1))


@primitive
def avg_pool(
    xp: Library,
    x: Array,
    *,
    kernel: Sizes,
    stride: Sizes,
    pad: Sizes,
    ceil: bool = False,
    count_include_pad: bool = True,
    divide: bool = True,
) -> Result:
    """The mean of each window, or its sum without `divide`.

    Padding counts as zeros unless `count_include_pad` is False; elements beyond it never count.
    """
    if _is_global(x, kernel, pad):
        axes = tuple(range(2, x.ndim))
        number = math.prod(kernel) if divide else 1
        mean = (xp.sum(x, axis=axes, keepdims=True) / number).astype(x.dtype, copy=False)
        return mean, lambda g: (g / number * xp.ones_like(x),)
    total, back = _pooled(xp, x, _sum, _stages(tuple(x.shape[2:]), kernel, stride, pad, ceil))
    out = tuple(total.shape[1:-1])
    count = _count(xp, x, kernel, stride, pad, out, count_include_pad) if divide else 1
    y = (total / count).astype(x.dtype, copy=False)
    return outer(xp, y), lambda g: (back((inner(xp, g) / count).astype(x.dtype, copy=False)),)
