"""Convolution and its transpose over any number of spatial axes, as matrix products.

Arrays are (batch, channels, *space), weights (out, in / groups, *kernel). Internally the batch comes
last (`engine.ops.windows`): the elements of all windows are gathered into columns, one row for each
channel and position in the window, and BLAS multiplies the weight by them. The weight is never
copied, and the product is the result as it is.

Convolution is linear in both arguments, so three functions suffice for derivatives of any order:

    correlate(x, w) -> y
    spread(y, w) -> x             its transpose in x
    weight_gradient(x, y) -> w    its transpose in w

The work is divided so that the columns stay small (`CHUNK`): by rows of the result, or by input
channels. If the columns of the whole batch are small, a convolution keeps them for the gradient of
its weight.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from initlab.engine.arrays import Array, DType, Library
from initlab.engine.autograd import primitive
from initlab.engine.errors import MXNetError
from initlab.engine.ops.elementwise import check_dtypes
from initlab.engine.ops.windows import Sizes, Windows, inner, outer, output_space
from initlab.engine.tape import Gradients, Result

CHUNK = 1 << 20
"""The approximate number of elements gathered at a time, and the most that are kept for each
convolution on the tape.
"""


def transposed_space(
    space: Sizes, kernel: Sizes, stride: Sizes, pad: Sizes, dilate: Sizes, adjust: Sizes
) -> Sizes:
    """Return the spatial shape of a transposed convolution's result.

    Raises MXNetError if it is empty or an adjustment exceeds the stride.
    """
    result = []
    for axis, (n, k, s, p, d, a) in enumerate(
        zip(space, kernel, stride, pad, dilate, adjust, strict=True)
    ):
        if a >= s:
            raise MXNetError.checked(
                f"output padding {adjust} must be smaller than stride {stride} along every "
                f"axis (axis {axis})"
            )
        length = s * (n - 1) + d * (k - 1) + 1 - 2 * p + a
        if length <= 0:
            raise MXNetError.checked(
                f"padding {pad} leaves nothing of input {space} with kernel {kernel} (spatial "
                f"axis {axis})"
            )
        result.append(length)
    return tuple(result)


def _product(xp: Library, a: Array, b: Array, dtype: DType) -> Array:
    """Return the matrix product; half precision is computed in single, since BLAS has no half."""
    if str(dtype) == "float16":
        a, b = a.astype("float32"), b.astype("float32")
    return xp.matmul(a, b).astype(dtype, copy=False)


def _joined(xp: Library, parts: list[Array], axis: int) -> Array:
    return parts[0] if len(parts) == 1 else xp.concatenate(parts, axis=axis)


def _cuts(length: int, size: int) -> Iterator[slice]:
    """Divide an axis into parts that gather about CHUNK elements; `size` is what one index of it
    gathers.
    """
    step = max(1, CHUNK // max(1, size))
    for start in range(0, max(1, length), step):
        yield slice(start, min(length, start + step))


def _blocks(groups: int, channels: int, size: int) -> Iterator[tuple[slice, slice, slice]]:
    """Divide the input channels: yield (groups, channels of each group, the same in all channels).

    `size` is what one channel gathers; `channels` is the number in a group.
    """
    if groups == 1:
        for cut in _cuts(channels, size):
            yield slice(0, 1), cut, cut
    else:
        for cut in _cuts(groups, channels * size):
            yield cut, slice(0, channels), slice(cut.start * channels, cut.stop * channels)


def _grouped(x: Array, groups: int, *channels: int) -> Array:
    """Return (groups * channels, …) as (groups, channels, all else in one axis).

    Several numbers of channels are those of several axes, which are joined.
    """
    rows = math.prod(channels)
    return x.reshape((groups, rows, x.size // max(1, groups * rows)))


def correlate(
    xp: Library,
    x: Array,
    w: Array,
    stride: Sizes,
    pad: Sizes,
    dilate: Sizes,
    groups: int,
    keep: list[Array] | None = None,
) -> Array:
    """y[o] = sum over channels c and positions a of w[o, c, a] x[c, stride o + dilate a - pad].

    If the columns of the whole batch fit a chunk, they are appended to `keep`.
    """
    space, kernel = tuple(x.shape[2:]), tuple(w.shape[2:])
    out = output_space(space, kernel, stride, pad, dilate)
    windows = Windows(space, kernel, stride, pad, dilate, out)
    units, rows = w.shape[0], w.shape[1] * windows.count
    matrix = w.reshape((groups, units // groups, rows))
    phases = windows.lay(xp, inner(xp, x))
    parts = []
    for cut in _cuts(out[0], rows * groups * math.prod(out[1:]) * x.shape[0]):
        columns = windows.columns(xp, phases, cut)
        shape = (units, *columns.shape[2:])
        columns = _grouped(columns, groups, rows)
        if keep is not None and cut.stop - cut.start == out[0]:
            keep.append(columns)
        parts.append(_product(xp, matrix, columns, x.dtype).reshape(shape))
    return outer(xp, _joined(xp, parts, 1))


def weight_gradient(
    xp: Library,
    x: Array,
    y: Array,
    kernel: Sizes,
    stride: Sizes,
    pad: Sizes,
    dilate: Sizes,
    groups: int,
    kept: list[Array] | None = None,
) -> Array:
    """w[o, c, a] = sum over the batch and output positions of y[o] x[c, stride o + dilate a - pad].

    `kept` may have the columns of x.
    """
    windows = Windows(tuple(x.shape[2:]), kernel, stride, pad, dilate, tuple(y.shape[2:]))
    units, channels = y.shape[1] // groups, x.shape[1] // groups
    shape = (groups * units, channels, *kernel)
    rows = _grouped(inner(xp, y), groups, units)

    def product(rows: Array, columns: Array) -> Array:
        if columns.shape[2] > columns.shape[1]:  # BLAS prefers this, and the result is small
            return xp.swapaxes(_product(xp, columns, xp.swapaxes(rows, 1, 2), x.dtype), 1, 2)
        return _product(xp, rows, xp.swapaxes(columns, 1, 2), x.dtype)

    if kept:
        return product(rows, kept[0]).reshape(shape)
    phases, parts = windows.lay(xp, inner(xp, x)), []
    size = windows.count * math.prod(windows.out) * x.shape[0]
    for some, block, at in _blocks(groups, channels, size):
        columns = windows.columns(xp, phases[at])
        columns = _grouped(columns, some.stop - some.start, block.stop - block.start, windows.count)
        parts.append(product(rows[some], columns))
    return _joined(xp, parts, 2 if groups == 1 else 0).reshape(shape)


def _reversed(xp: Library, w: Array, groups: int) -> Array:
    """Return w (groups * units, channels, *kernel) as (groups * channels, units, *kernel reversed)."""
    units, channels, kernel = w.shape[0] // groups, w.shape[1], tuple(w.shape[2:])
    each = xp.swapaxes(w.reshape((groups, units, channels, *kernel)), 1, 2)
    each = each[(slice(None),) * 3 + (slice(None, None, -1),) * len(kernel)]
    return each.reshape((groups * channels, units, *kernel))


def spread(
    xp: Library,
    y: Array,
    w: Array,
    stride: Sizes,
    pad: Sizes,
    dilate: Sizes,
    groups: int,
    space: Sizes,
) -> Array:
    """x[c, i] = the sum of w[o, c, a] y[o] over units o, output positions and kernel positions a
    with stride o + dilate a - pad = i.

    One product gives the share of each kernel position, and the shares are added where they belong.
    Without a stride this is also a correlation with the kernel reversed, which is faster if copying
    the kernel is little work.
    """
    windows = Windows(space, tuple(w.shape[2:]), stride, pad, dilate, tuple(y.shape[2:]))
    units, channels, count = w.shape[0] // groups, w.shape[1], windows.count
    shape = (*windows.out, y.shape[0])
    border = tuple(d * (k - 1) - p for d, k, p in zip(dilate, windows.kernel, pad, strict=True))
    few = units <= channels and 2 * units <= math.prod(shape)
    if few and min(border) >= 0 and all(s == 1 for s in stride):
        return correlate(xp, y, _reversed(xp, w, groups), stride, border, dilate, groups)
    matrix = w.reshape((groups, units, channels, count))
    rows, parts = _grouped(inner(xp, y), groups, units), []
    for some, block, at in _blocks(groups, channels, count * math.prod(shape)):
        part = matrix[some, :, block]
        part = part.reshape((*part.shape[:2], part.shape[2] * count))
        shares = _product(xp, xp.swapaxes(part, 1, 2), rows[some], y.dtype)
        shares = shares.reshape((at.stop - at.start, count, *shape))
        parts.append(windows.fold(xp, [shares[:, number] for number in range(count)]))
    return outer(xp, _joined(xp, parts, 0))


def _check_channels(name: str, found: int, needed: int, shape: Sizes, weight: Sizes) -> None:
    if found != needed:
        raise MXNetError.checked(
            f"{name}: {found} input channels (axis 1 of {tuple(shape)}), but the weight "
            f"{tuple(weight)} is for {needed}"
        )


@primitive
def convolution(
    xp: Library,
    x: Array,
    weight: Array,
    *bias: Array,
    stride: Sizes,
    pad: Sizes,
    dilate: Sizes,
    groups: int = 1,
    constant_input: bool = False,
) -> Result:
    """Cross-correlate x (batch, in, *space) with weight (out, in / groups, *kernel), plus bias
    (out).

    With `constant_input` the gradient by x is not needed and not computed.
    """
    check_dtypes(x, weight)
    _check_channels("convolution", x.shape[1], weight.shape[1] * groups, x.shape, weight.shape)
    kept: list[Array] = []
    y = correlate(xp, x, weight, stride, pad, dilate, groups, kept)
    if bias:
        y += bias[0].reshape((1, -1, *(1 for _ in stride)))

    def vjp(g: Array) -> Gradients:
        dx = (
            None
            if constant_input
            else spread(xp, g, weight, stride, pad, dilate, groups, tuple(x.shape[2:]))
        )
        gradients = (
            dx,
            weight_gradient(xp, x, g, tuple(weight.shape[2:]), stride, pad, dilate, groups, kept),
        )
        return (*gradients, xp.sum(g, axis=(0, *range(2, g.ndim)))) if bias else gradients

    return y, vjp


@primitive
def deconvolution(
    xp: Library,
    x: Array,
    weight: Array,
    *bias: Array,
    stride: Sizes,
    pad: Sizes,
    dilate: Sizes,
    adjust: Sizes,
    groups: int = 1,
) -> Result:
    """Transposed convolution of x (batch, in, *space), weight (in, out / groups, *kernel), plus
    bias (out).
    """
    check_dtypes(x, weight)
    _check_channels("deconvolution", x.shape[1], weight.shape[0], x.shape, weight.shape)
    kernel = tuple(weight.shape[2:])
    space = transposed_space(tuple(x.shape[2:]), kernel, stride, pad, dilate, adjust)
    y = spread(xp, x, weight, stride, pad, dilate, groups, space)
    if bias:
        y += bias[0].reshape((1, -1, *(1 for _ in stride)))

    def vjp(g: Array) -> tuple[Array, ...]:
        dx = correlate(xp, g, weight, stride, pad, dilate, groups)
        gradients = (dx, weight_gradient(xp, g, x, kernel, stride, pad, dilate, groups))
        return (*gradients, xp.sum(g, axis=(0, *range(2, g.ndim)))) if bias else gradients

    return y, vjp
