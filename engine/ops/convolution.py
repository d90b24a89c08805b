"""Convolution and its transpose over any number of spatial axes, as matrix products.

Arrays are (batch, channels, *space), weights (out, in / groups, *kernel). Internally, channels come
last: the elements under the kernel are gathered into rows of (position, channel), one row for each
output position, with one copy for each kernel position; then BLAS multiplies. The result is a
transposed view of BLAS's output, so a chain of layers keeps channels last in memory and copies
nothing back.

Convolution is linear in both arguments, so three functions suffice for derivatives of any order:

    correlate(x, w) -> y
    spread(y, w) -> x             its transpose in x
    weight_gradient(x, y) -> w    its transpose in w

Nothing is written in place. Batches are divided so that the gathered rows stay small (`CHUNK`). If
the rows of the whole batch are small, a convolution keeps them for the gradient of its weight.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence

from initlab.engine.arrays import Array, DType, Library
from initlab.engine.autograd import primitive
from initlab.engine.errors import MXNetError
from initlab.engine.ops.elementwise import check_dtypes
from initlab.engine.tape import Gradients, Result

Sizes = tuple[int, ...]
Index = tuple[slice, ...]
CHUNK = 1 << 21
"""The approximate number of elements gathered at a time."""
FOLD = 3
"""Cost of adding one element of a product, relative to gathering one."""
FEW_CHANNELS = 8
"""With fewer channels, rows are gathered along the last spatial axis, because runs of channels
would be short.
"""


def output_space(
    space: Sizes, kernel: Sizes, stride: Sizes, pad: Sizes, dilate: Sizes, ceil: bool = False
) -> Sizes:
    """Return the spatial shape of the result. Raises MXNetError if the kernel does not fit."""
    result = []
    for n, k, s, p, d in zip(space, kernel, stride, pad, dilate, strict=True):
        room = n + 2 * p - (d * (k - 1) + 1)
        if room < 0:
            raise MXNetError.checked(
                f"kernel {kernel} exceeds the input {space} with padding {pad}"
            )
        result.append((-(-room // s) if ceil else room // s) + 1)
    return tuple(result)


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


def last(xp: Library, x: Array) -> Array:
    """Return a view of (batch, channels, *space) as (batch, *space, channels)."""
    return xp.transpose(x, (0, *range(2, x.ndim), 1))


def first(xp: Library, x: Array) -> Array:
    """Return a view of (batch, *space, channels) as (batch, channels, *space)."""
    return xp.transpose(x, (0, x.ndim - 1, *range(1, x.ndim - 1)))


def windows(kernel: Sizes, stride: Sizes, dilate: Sizes, out: Sizes) -> Iterator[Index]:
    """Return for each kernel position, in order, the index of the elements under it.

    The indices are into a padded (batch, *space, …).
    """
    for at in itertools.product(*(range(k) for k in kernel)):
        cuts = (
            slice(a * d, a * d + s * (n - 1) + 1, s)
            for a, d, s, n in zip(at, dilate, stride, out, strict=True)
        )
        yield (slice(None), *cuts)


def _padded(xp: Library, x: Array, widths: Sequence[tuple[int, int]]) -> Array:
    """Return (batch, channels, *space) with a border of zeros, as a view with channels last."""
    if not any(a or b for a, b in widths):
        return last(xp, x)
    if x.shape[1] < FEW_CHANNELS:
        return last(xp, xp.pad(x, ((0, 0), (0, 0), *widths)))
    return xp.pad(last(xp, x), ((0, 0), *widths, (0, 0)))


def _rows(xp: Library, x: Array, indices: Sequence[Index], groups: int) -> Array:
    """Gather rows of x, which has channels last.

    They have shape (groups, output positions of the whole batch, kernel positions * channels of a
    group).
    """
    parts = [x[index] for index in indices]
    channels, count = x.shape[-1], len(parts)
    if count > 1 and channels < FEW_CHANNELS:
        axes = (parts[0].ndim - 1, *range(parts[0].ndim - 1))
        rows = (
            xp.stack([xp.transpose(part, axes) for part in parts]).reshape((count * channels, -1)).T
        )
    else:
        rows = (parts[0] if count == 1 else xp.stack(parts, axis=-2)).reshape(
            (-1, count * channels)
        )
    if groups == 1:
        return rows.reshape((1, *rows.shape))
    each = rows.reshape((rows.shape[0], count, groups, channels // groups))
    return xp.transpose(each, (2, 0, 1, 3)).reshape((groups, rows.shape[0], -1))


def _grouped(xp: Library, y: Array, groups: int) -> Array:
    """Return (batch, channels, *space) as (groups, positions of the whole batch, channels of a
    group).
    """
    return _rows(xp, last(xp, y), [(slice(None),)], groups)


def _ungrouped(xp: Library, rows: Array, batch: int, space: Sizes) -> Array:
    """Undo `_grouped`; channels are last."""
    groups, positions, channels = rows.shape
    if groups > 1:
        rows = xp.transpose(rows, (1, 0, 2)).reshape((positions, groups * channels))
    return rows.reshape((batch, *space, groups * channels))


def _product(xp: Library, a: Array, b: Array, dtype: DType) -> Array:
    """Return the matrix product; half precision is computed in single, since BLAS has no half."""
    if str(dtype) == "float16":
        a, b = a.astype("float32"), b.astype("float32")
    return xp.matmul(a, b).astype(dtype, copy=False)


def _chunks(xp: Library, batch: int, size: int, apply: Callable[[slice], Array]) -> list[Array]:
    """Call `apply` for parts of the batch; `size` is the number of elements that a sample gathers."""
    step = max(1, CHUNK // max(1, size))
    return [apply(slice(start, min(batch, start + step))) for start in range(0, batch, step)] or [
        apply(slice(0, 0))
    ]


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

    If the rows of the whole batch fit a chunk, they are appended to `keep`.
    """
    kernel = tuple(w.shape[2:])
    out = output_space(tuple(x.shape[2:]), kernel, stride, pad, dilate)
    units, channels, count = w.shape[0], w.shape[1], math.prod(kernel)
    matrix = xp.transpose(
        w.reshape((groups, units // groups, channels, count)), (0, 3, 2, 1)
    ).reshape((groups, count * channels, units // groups))
    indices = list(windows(kernel, stride, dilate, out))
    padded = _padded(xp, x, [(p, p) for p in pad])

    def part(cut: slice) -> Array:
        rows = _rows(xp, padded[cut], indices, groups)
        if keep is not None and cut.stop - cut.start == x.shape[0]:
            keep.append(rows)
        return _ungrouped(xp, _product(xp, rows, matrix, x.dtype), cut.stop - cut.start, out)

    size = math.prod(out) * count * x.shape[1] if count > 1 else 0
    parts = _chunks(xp, x.shape[0], size, part)
    return first(xp, parts[0] if len(parts) == 1 else xp.concatenate(parts, axis=0))


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

    `kept` may have the rows of x.
    """
    out, count = tuple(y.shape[2:]), math.prod(kernel)
    units, channels = y.shape[1] // groups, x.shape[1] // groups
    indices = list(windows(kernel, stride, dilate, out))
    padded = x if kept else _padded(xp, x, [(p, p) for p in pad])

    def part(cut: slice) -> Array:
        rows = kept[0] if kept else _rows(xp, padded[cut], indices, groups)
        return _product(xp, xp.swapaxes(_grouped(xp, y[cut], groups), 1, 2), rows, x.dtype)

    size = math.prod(out) * count * x.shape[1] if count > 1 else 0
    total, *others = _chunks(xp, x.shape[0], size, part)
    for other in others:
        total = total + other
    w = xp.transpose(total.reshape((groups, units, count, channels)), (0, 1, 3, 2))
    return w.reshape((groups * units, channels, *kernel))


def _taps(n: int, k: int, s: int, p: int, d: int) -> list[list[tuple[int, int]]]:
    """Return, for each phase r < s of an axis of length n, the (a, m) of the kernel positions.

    y[q - m] contributes to x[s q + r] through position a of the kernel.
    """
    return [
        [(a, (a * d - p - r) // s) for a in range(k) if (a * d - p - r) % s == 0] for r in range(s)
    ]


def interleave(xp: Library, phases: Sequence[Array], stride: Sizes, space: Sizes) -> Array:
    """Return x (batch, *space, channels) from its phases, in order of r.

    Each phase is (batch, *ceil(space / stride), channels) and holds x[s q + r].
    """
    if len(phases) == 1:
        return phases[0]
    axes, shape = len(stride), phases[0].shape
    stacked = xp.stack(phases).reshape((*stride, *shape))
    order = [
        axes,
        *itertools.chain.from_iterable((axes + 1 + i, i) for i in range(axes)),
        2 * axes + 1,
    ]
    whole = xp.transpose(stacked, order).reshape(
        (shape[0], *(q * s for q, s in zip(shape[1:-1], stride, strict=True)), shape[-1])
    )
    return whole[(slice(None), *(slice(0, n) for n in space))]


def reach(
    space: Sizes, kernel: Sizes, stride: Sizes, pad: Sizes, dilate: Sizes, out: Sizes
) -> tuple[list[list[tuple[int, Index]]], list[tuple[int, int]]]:
    """Return (phases, widths) of the transposed problem.

    A phase is a list of (index of the kernel position, index into y padded by `widths` with
    channels last): the terms that sum to x[s q + r].
    """
    taps = [_taps(*numbers) for numbers in zip(space, kernel, stride, pad, dilate, strict=True)]
    lengths = [-(-n // s) for n, s in zip(space, stride, strict=True)]
    widths = []
    for axis, by_phase in enumerate(taps):
        shifts = [m for phase in by_phase for _, m in phase]
        widths.append(
            (max(0, *shifts, 0), max(0, *(lengths[axis] - m - out[axis] for m in shifts), 0))
        )
    phases = []
    for r in itertools.product(*(range(s) for s in stride)):
        entries = []
        for at in itertools.product(*(taps[axis][phase] for axis, phase in enumerate(r))):
            number = 0
            for (a, _), k in zip(at, kernel, strict=True):
                number = number * k + a
            cuts = (
                slice(w[0] - m, w[0] - m + q)
                for (_, m), w, q in zip(at, widths, lengths, strict=True)
            )
            entries.append((number, (slice(None), *cuts)))
        phases.append(entries)
    return phases, widths


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

    Each phase of the stride is a correlation of y with a different part of the kernel, so nothing
    is multiplied by padding zeros.
    """
    kernel, out = tuple(w.shape[2:]), tuple(y.shape[2:])
    units, channels, count = w.shape[0] // groups, w.shape[1], math.prod(kernel)
    if groups == 1 and FOLD * channels * math.prod(out) < units * math.prod(
        -(-n // s) * s for n, s in zip(space, stride, strict=True)
    ):
        return _spread_by_folding(xp, y, w, stride, pad, dilate, space)
    phases, widths = reach(space, kernel, stride, pad, dilate, out)
    padded = _padded(xp, y, widths)
    each = xp.transpose(w.reshape((groups, units, channels, count)), (3, 0, 1, 2))
    lengths = tuple(-(-n // s) for n, s in zip(space, stride, strict=True))

    def phase(entries: list[tuple[int, Index]]) -> Array:
        if not entries:
            return xp.zeros((y.shape[0], *lengths, groups * channels), dtype=y.dtype)
        matrix = xp.stack([each[number] for number, _ in entries], axis=1).reshape(
            (groups, len(entries) * units, channels)
        )
        indices = [index for _, index in entries]

        def part(cut: slice) -> Array:
            rows = _product(xp, _rows(xp, padded[cut], indices, groups), matrix, y.dtype)
            return _ungrouped(xp, rows, cut.stop - cut.start, lengths)

        parts = _chunks(xp, y.shape[0], math.prod(lengths) * len(entries) * y.shape[1], part)
        return parts[0] if len(parts) == 1 else xp.concatenate(parts, axis=0)

    return first(xp, interleave(xp, [phase(entries) for entries in phases], stride, space))


def _fold(
    xp: Library, d: Array, axis: int, kernel_axis: int, taps: list[list[tuple[int, int]]], n: int
) -> Array:
    """Sum `kernel_axis` of d (batch, *positions, *kernel positions, channels) into `axis`.

    The axis then has length n.
    """
    length, out = -(-n // len(taps)), d.shape[axis]
    phases = []
    for phase in taps:
        total = None
        for a, m in phase:
            start, stop = max(0, -m), min(out, length - m)
            if start >= stop:
                continue
            piece = d[
                (slice(None),) * axis
                + (slice(start, stop),)
                + (slice(None),) * (kernel_axis - axis - 1)
                + (a,)
            ]
            around = [(0, 0)] * piece.ndim
            around[axis] = (start + m, length - m - stop)
            piece = xp.pad(piece, around) if any(around[axis]) else piece
            total = piece if total is None else total + piece
        shape = (
            *d.shape[:axis],
            length,
            *d.shape[axis + 1 : kernel_axis],
            *d.shape[kernel_axis + 1 :],
        )
        phases.append(xp.zeros(shape, dtype=d.dtype) if total is None else total)
    if len(phases) == 1:
        return phases[0]
    whole = xp.stack(phases, axis=axis + 1)
    whole = whole.reshape((*whole.shape[:axis], -1, *whole.shape[axis + 2 :]))
    return whole[(slice(None),) * axis + (slice(0, n),)]


def _spread_by_folding(
    xp: Library, y: Array, w: Array, stride: Sizes, pad: Sizes, dilate: Sizes, space: Sizes
) -> Array:
    """Compute `spread` by one product for all kernel positions, summed one spatial axis at a time."""
    kernel, out, axes = tuple(w.shape[2:]), tuple(y.shape[2:]), len(stride)
    matrix = xp.transpose(w, (0, *range(2, w.ndim), 1)).reshape((w.shape[0], -1))
    rows = last(xp, y)

    def part(cut: slice) -> Array:
        d = _product(xp, rows[cut].reshape((-1, w.shape[0])), matrix, y.dtype).reshape(
            (-1, *out, *kernel, w.shape[1])
        )
        for axis, numbers in enumerate(zip(space, kernel, stride, pad, dilate, strict=True)):
            d = _fold(xp, d, axis + 1, axes + 1, _taps(*numbers), numbers[0])
        return d

    parts = _chunks(xp, y.shape[0], math.prod(out) * matrix.shape[1], part)
    return first(xp, parts[0] if len(parts) == 1 else xp.concatenate(parts, axis=0))


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
        y = y + bias[0].reshape((1, -1, *(1 for _ in stride)))

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
        y = y + bias[0].reshape((1, -1, *(1 for _ in stride)))

    def vjp(g: Array) -> tuple[Array, ...]:
        dx = correlate(xp, g, weight, stride, pad, dilate, groups)
        gradients = (dx, weight_gradient(xp, g, x, kernel, stride, pad, dilate, groups))
        return (*gradients, xp.sum(g, axis=(0, *range(2, g.ndim)))) if bias else gradients

    return y, vjp
