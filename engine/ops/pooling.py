"""Pooling: maximum, mean, sum or p-norm of windows over the spatial axes of (batch, channels,
*space).

As in `engine.ops.convolution`, the computation loops over the positions of a window, with one
strided slice of the whole batch at a time, channels last. Gradients are summed by phases of the
stride, so nothing is written in place.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from initlab.engine.arrays import Array, Library, Operand
from initlab.engine.autograd import primitive
from initlab.engine.ops.convolution import (
    Sizes,
    first,
    interleave,
    last,
    output_space,
    reach,
    windows,
)
from initlab.engine.tape import Result

LOWEST = {
    "float16": -65504.0,
    "float32": -3.4028234663852886e38,
    "float64": -1.7976931348623157e308,
}
"""The value of padding in max pooling, and of a window of padding only (as in MXNet)."""


def _overhang(space: Sizes, kernel: Sizes, stride: Sizes, pad: Sizes, out: Sizes) -> Sizes:
    """Return how far the last window extends beyond the padding, with `ceil`."""
    ends = (s * (n - 1) + k for s, n, k in zip(stride, out, kernel, strict=True))
    return tuple(max(0, r - (n + 2 * p)) for r, n, p in zip(ends, space, pad, strict=True))


def _slices(
    xp: Library, x: Array, kernel: Sizes, stride: Sizes, pad: Sizes, out: Sizes, value: float
) -> list[Array]:
    """Return for each window position the elements under it (batch, *out, channels).

    `value` is the value of the padding.
    """
    extra = _overhang(tuple(x.shape[2:]), kernel, stride, pad, out)
    whole = last(xp, x)
    if any(pad) or any(extra):
        widths = ((0, 0), *((p, p + e) for p, e in zip(pad, extra, strict=True)), (0, 0))
        whole = xp.pad(whole, widths, constant_values=value)
    return [whole[index] for index in windows(kernel, stride, (1,) * len(kernel), out)]


def _gathered(
    xp: Library, pieces: Sequence[Array], x: Array, kernel: Sizes, stride: Sizes, pad: Sizes
) -> Array:
    """Compute the transpose of `_slices`: each element of x gets the sum over its windows."""
    space, out = tuple(x.shape[2:]), tuple(pieces[0].shape[1:-1])
    phases, widths = reach(space, kernel, stride, pad, (1,) * len(kernel), out)
    around = ((0, 0), *widths, (0, 0)) if any(a or b for a, b in widths) else None
    lengths = tuple(-(-n // s) for n, s in zip(space, stride, strict=True))
    sums = []
    for entries in phases:
        total = None
        for number, index in entries:
            piece = (pieces[number] if around is None else xp.pad(pieces[number], around))[index]
            total = piece if total is None else total + piece
        sums.append(
            xp.zeros((x.shape[0], *lengths, x.shape[1]), dtype=x.dtype) if total is None else total
        )
    return first(xp, interleave(xp, sums, stride, space))


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
    out = output_space(tuple(x.shape[2:]), kernel, stride, pad, (1,) * len(kernel), ceil)
    slices = _slices(xp, x, kernel, stride, pad, out, LOWEST.get(str(x.dtype), -math.inf))
    y = slices[0]
    for part in slices[1:]:
        y = xp.maximum(y, part)

    def vjp(g: Array) -> tuple[Array]:
        g = last(xp, g)
        pieces, left = [], None
        for part in slices:
            here = part == y
            chosen = here if left is None else here & left
            others = xp.logical_not(here)
            left = others if left is None else left & others
            pieces.append(g * chosen)
        return (_gathered(xp, pieces, x, kernel, stride, pad),)

    return first(xp, y.copy() if len(slices) == 1 else y), vjp


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
    out = output_space(tuple(x.shape[2:]), kernel, stride, pad, (1,) * len(kernel), ceil)
    slices = _slices(xp, x, kernel, stride, pad, out, 0)
    total = slices[0]
    for part in slices[1:]:
        total = total + part
    count = _count(xp, x, kernel, stride, pad, out, count_include_pad) if divide else 1
    y = (total / count).astype(x.dtype, copy=False)

    def vjp(g: Array) -> tuple[Array]:
        share = (last(xp, g) / count).astype(x.dtype, copy=False)
        return (_gathered(xp, [share] * len(slices), x, kernel, stride, pad),)

    return first(xp, y), vjp
