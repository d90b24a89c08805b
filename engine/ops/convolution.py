"""Convolution and pooling over any number of spatial axes, one kernel position at a time.

Arrays are (batch, channels, *space). For each position of the kernel the input is a strided slice, so that the work is matrix products
(or maxima, or sums) of whole arrays and needs nothing of the array library but slicing.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import Any

from engine.autograd import primitive
from engine.errors import MXNetError
from engine.ops.elementwise import check_dtypes

Sizes = tuple[int, ...]
LOWEST = {"float16": -65504.0, "float32": -3.4028234663852886e38, "float64": -1.7976931348623157e308}
"""What max pooling takes padding for, and gives for a window of nothing else (as MXNet does)."""


def output_space(space: Sizes, kernel: Sizes, stride: Sizes, pad: Sizes, dilate: Sizes, ceil: bool = False) -> Sizes:
    """The spatial shape of the result. MXNetError where the kernel does not fit."""
    result = []
    for n, k, s, p, d in zip(space, kernel, stride, pad, dilate, strict=True):
        room = n + 2 * p - (d * (k - 1) + 1)
        if room < 0:
            raise MXNetError(f"MXNetError: kernel {kernel} exceeds the input {space} with padding {pad}")
        result.append((-(-room // s) if ceil else room // s) + 1)
    return tuple(result)


def _windows(kernel: Sizes, stride: Sizes, dilate: Sizes, out: Sizes) -> Iterator[tuple[Sizes, tuple[Any, ...]]]:
    """(position in the kernel, the index of the padded input's elements under it)."""
    for at in itertools.product(*(range(k) for k in kernel)):
        cuts = (slice(a * d, a * d + s * (n - 1) + 1, s) for a, d, s, n in zip(at, dilate, stride, out, strict=True))
        yield at, (Ellipsis, *cuts)


def _padded(xp: Any, x: Any, pad: Sizes, extra: Sizes, value: float) -> Any:
    """x with `pad` elements of `value` before and `pad + extra` after each spatial axis."""
    if not any(pad) and not any(extra):
        return x
    widths = [(0, 0)] * (x.ndim - len(pad)) + [(p, p + e) for p, e in zip(pad, extra, strict=True)]
    return xp.pad(x, widths, constant_values=value)


def _unpadded(x: Any, pad: Sizes, space: Sizes) -> Any:
    return x[(Ellipsis, *(slice(p, p + n) for p, n in zip(pad, space, strict=True)))]


@primitive
def convolution(xp, x, weight, *bias, stride, pad, dilate, groups=1):  # type: ignore[no-untyped-def]
    """Cross-correlation of x (batch, in, *space) with weight (out, in / groups, *kernel), plus bias (out)."""
    check_dtypes(x, weight)
    kernel, space, batch = weight.shape[2:], x.shape[2:], x.shape[0]
    if x.shape[1] != weight.shape[1] * groups:
        raise MXNetError(f"MXNetError: convolution: {x.shape[1]} input channels, but the weight is for {weight.shape[1] * groups}")
    out = output_space(space, kernel, stride, pad, dilate)
    channels, units, positions = weight.shape[1], weight.shape[0] // groups, math.prod(out)
    padded = _padded(xp, x, pad, (0,) * len(pad), 0).reshape(
        (batch, groups, channels, *(n + 2 * p for n, p in zip(space, pad, strict=True)))
    )
    w = weight.reshape((1, groups, units, channels, *kernel))
    y: Any = 0
    for at, index in _windows(kernel, stride, dilate, out):
        y = y + xp.matmul(w[(..., *at)], padded[index].reshape((batch, groups, channels, positions)))
    y = y.reshape((batch, groups * units, *out)).astype(x.dtype, copy=False)
    if bias:
        y = y + bias[0].reshape((1, -1, *(1 for _ in out)))

    def vjp(g: Any) -> tuple[Any, ...]:
        flat = g.reshape((batch, groups, units, positions))
        dx, dw = xp.zeros_like(padded), xp.zeros_like(w)
        for at, index in _windows(kernel, stride, dilate, out):
            patch = padded[index]
            columns = patch.reshape((batch, groups, channels, positions))
            dw[(..., *at)] = xp.sum(xp.matmul(flat, xp.swapaxes(columns, -1, -2)), axis=0, keepdims=True)
            back = xp.matmul(xp.swapaxes(w[(..., *at)], -1, -2), flat)
            dx[index] = dx[index] + back.reshape(patch.shape)
        dx = dx.reshape((batch, groups * channels, *padded.shape[3:]))
        gradients = (_unpadded(dx, pad, space), dw.reshape(weight.shape))
        return (*gradients, xp.sum(g, axis=(0, *range(2, g.ndim)))) if bias else gradients

    return y, vjp


def _overhang(space: Sizes, kernel: Sizes, stride: Sizes, pad: Sizes, out: Sizes) -> Sizes:
    """How far the last window reaches beyond the padding, with `ceil`."""
    reach = (s * (n - 1) + k for s, n, k in zip(stride, out, kernel, strict=True))
    return tuple(max(0, r - (n + 2 * p)) for r, n, p in zip(reach, space, pad, strict=True))


@primitive
def max_pool(xp, x, *, kernel, stride, pad, ceil=False):  # type: ignore[no-untyped-def]
    """The largest element of each window; the first of equal ones gets the gradient."""
    space, ones = x.shape[2:], (1,) * len(kernel)
    out = output_space(space, kernel, stride, pad, ones, ceil)
    padded = _padded(xp, x, pad, _overhang(space, kernel, stride, pad, out), LOWEST.get(str(x.dtype), -math.inf))
    windows = list(_windows(kernel, stride, ones, out))
    y = padded[windows[0][1]]
    for _, index in windows[1:]:
        y = xp.maximum(y, padded[index])

    def vjp(g: Any) -> tuple[Any]:
        dx, left = xp.zeros_like(padded), xp.ones_like(y)
        for _, index in windows:
            chosen = left * (padded[index] == y)
            left = left - chosen
            dx[index] = dx[index] + g * chosen
        return (_unpadded(dx, pad, space),)

    return y.copy(), vjp


@primitive
def avg_pool(xp, x, *, kernel, stride, pad, ceil=False, count_include_pad=True):  # type: ignore[no-untyped-def]
    """The mean of each window; padding counts as zeros unless `count_include_pad` is False, what lies beyond it never."""
    space, ones = x.shape[2:], (1,) * len(kernel)
    out = output_space(space, kernel, stride, pad, ones, ceil)
    extra = _overhang(space, kernel, stride, pad, out)
    padded = _padded(xp, x, pad, extra, 0)
    inside = xp.ones_like(x[:1, :1])
    inside = _padded(xp, inside, pad, (0,) * len(pad), 1.0 if count_include_pad else 0.0)
    inside = _padded(xp, inside, (0,) * len(pad), extra, 0)
    windows = list(_windows(kernel, stride, ones, out))
    total, count = padded[windows[0][1]], inside[windows[0][1]]
    for _, index in windows[1:]:
        total, count = total + padded[index], count + inside[index]
    count = xp.maximum(count, xp.ones_like(count))  # a window beyond the padding gives 0

    def vjp(g: Any) -> tuple[Any]:
        dx, share = xp.zeros_like(padded), g / count
        for _, index in windows:
            dx[index] = dx[index] + share
        return (_unpadded(dx, pad, space),)

    return total / count, vjp
