"""Primitives that change the shape or the order of an array, and join arrays."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

from initlab.engine.arrays import Array, Library, Shape
from initlab.engine.autograd import primitive
from initlab.engine.errors import MXNetError
from initlab.engine.ops.elementwise import unbroadcast
from initlab.engine.tape import Result


def _listed(shape: Sequence[int]) -> str:
    return "[" + ",".join(str(n) for n in shape) + "]"


def _split(n: int, first: int, second: int) -> tuple[int, int]:
    """Return the lengths into which code -4 splits an axis of length n."""
    if first == -1 and second == -1:
        raise MXNetError.checked(
            "Check failed: d1 != -1 || d2 != -1: Split dims cannot both be -1."
        )
    if first == -1:
        first = n // second
    if second == -1:
        second = n // first
    if first * second != n:
        raise MXNetError.checked(
            f"Check failed: d1 * d2 == d0: Split dims {first}, {second} do not divide "
            f"original dim {n}"
        )
    return first, second


def target_shape(
    shape: tuple[int, ...], asked: tuple[int, ...], reverse: bool = False
) -> tuple[int, ...]:
    """Return the shape that MXNet's reshape codes give.

    0 keeps an axis, -1 is computed from the size, -2 keeps all remaining axes, -3 joins two, -4
    splits one into the next two numbers. With `reverse`, codes and axes are matched from the right.
    Raises MXNetError if the codes do not fit.
    """
    if reverse:
        return tuple(reversed(target_shape(shape[::-1], asked[::-1])))
    result: list[int] = []
    at = 0
    codes = iter(asked)
    for code in codes:
        needed = {0: 1, -3: 2, -4: 1}.get(code, 0)
        if needed and at + needed > len(shape):
            raise MXNetError.checked(
                f"Check failed: src_idx < dshape_len ({at} vs. {len(shape)}) : reshape code "
                f"{code} needs {needed} more "
                f"axes of {_listed(shape)} in {tuple(asked)}"
            )
        if code == 0:
            result.append(shape[at])
        elif code == -2:
            result += shape[at:]
            at = len(shape)
            continue
        elif code == -3:
            result.append(shape[at] * shape[at + 1])
        elif code == -4:
            lengths = [*itertools.islice(codes, 2)]
            if len(lengths) < 2:
                raise MXNetError.checked(
                    f"reshape code -4 must be followed by two lengths, got {tuple(asked)}"
                )
            result += _split(shape[at], *lengths)
        elif code < -4:
            raise MXNetError.checked(
                f"Check failed: dim_size >= -1 ({code} vs. -1) : shape dim size must be >= -1, "
                f"while received {code}"
            )
        else:
            result.append(code)
        at += needed or 1
    return _filled(shape, result)


def _filled(shape: tuple[int, ...], result: list[int]) -> tuple[int, ...]:
    """Replace -1 by the remaining size, and check the total size."""
    if result.count(-1) > 1:
        raise MXNetError.checked("Check failed: inf_idx < 0 : One and only one dim can be inferred")
    known = math.prod(n for n in result if n != -1)
    size = math.prod(shape)
    if result.count(-1) == 1 and known and size % known == 0:
        result[result.index(-1)] = size // known
    if math.prod(result) != size or -1 in result:
        raise MXNetError.checked(
            f"Target shape size is different to source. Target: {_listed(result)} Source: "
            f"{_listed(shape)}"
        )
    return tuple(result)


@primitive
def reshape(
    xp: Library, x: Array, *, shape: Shape, reverse: bool = False, view: bool = True
) -> Result:
    """Another shape of the same size (see `target_shape`), on the same memory unless `view` is
    False.
    """
    y = x.reshape(target_shape(x.shape, tuple(shape), reverse))
    return (y if view else y.copy()), lambda g: (g.reshape(x.shape),)


def order_of(ndim: int, axes: Sequence[int] | None) -> tuple[int, ...]:
    """Return the order of axes in `axes`, by default reversed.

    Raises MXNetError unless it names each axis once.
    """
    order = tuple(axes) if axes else tuple(reversed(range(ndim)))
    found = tuple(a % ndim if -ndim <= a < ndim else a for a in order)
    if sorted(found) != list(range(ndim)):
        raise MXNetError.checked(
            f"transpose: axes {order} do not name each of the {ndim} axes once"
        )
    return found


@primitive
def transpose(xp: Library, x: Array, *, axes: Sequence[int] | None = None) -> Result:
    """A copy with the axes in another order, by default reversed."""
    order = order_of(x.ndim, axes)
    back = tuple(order.index(i) for i in range(x.ndim))
    return xp.transpose(x, order).copy(), lambda g: (xp.transpose(g, back),)


def broadcast_shape(shape: tuple[int, ...], asked: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape of `broadcast_to`; a 0 keeps an axis. Raises MXNetError if an axis cannot be
    stretched.
    """
    if len(asked) != len(shape):
        raise MXNetError.checked(
            f"Check failed: ishape.ndim() == param.shape.ndim() ({len(shape)} vs. "
            f"{len(asked)}) : Operand of shape "
            f"{_listed(shape)} cannot be broadcasted to {_listed(asked)}"
        )
    wanted = tuple(n or m for n, m in zip(asked, shape, strict=True))
    if any(m not in (n, 1) for n, m in zip(wanted, shape, strict=True)):
        raise MXNetError.checked(
            "Check failed: ishape[i] == oshape[i] || ishape[i] == 1: Array cannot be "
            "broadcasted from "
            f"{_listed(shape)} to {_listed(wanted)}"
        )
    return wanted


@primitive
def broadcast_to(xp: Library, x: Array, *, shape: Shape) -> Result:
    """x stretched along its axes of length 1; a 0 keeps an axis."""
    wanted = broadcast_shape(x.shape, tuple(shape))
    stretched = tuple(i for i, n in enumerate(x.shape) if n == 1 and wanted[i] != 1)
    y = xp.broadcast_to(x, wanted).copy()
    return y, lambda g: (xp.sum(g, axis=stretched, keepdims=True) if stretched else g,)


def check_parts(parts: Sequence[Array], axis: int, name: str, new_axis: bool) -> None:
    """Raise MXNetError unless arrays can be joined.

    They need one dtype, and one shape except for the length of `axis` (joined along it) if there is
    no new axis.
    """
    ndim = parts[0].ndim + new_axis
    if not -ndim <= axis < ndim:
        raise MXNetError.checked(
            f"Check failed: axis < ndim && axis >= -ndim: axis {axis} exceeds the input "
            f"dimension of {ndim}"
        )
    for number, part in enumerate(parts[1:], 1):
        if part.dtype != parts[0].dtype:
            raise MXNetError.checked(
                f"Check failed: Non-uniform data type in {name}, expected data type "
                f"{parts[0].dtype}, got data type {part.dtype} "
                f"for input {number}"
            )
        expected = [
            -1 if not new_axis and a == axis % ndim else n for a, n in enumerate(parts[0].shape)
        ]
        if len(expected) != part.ndim or any(
            n not in (-1, m) for n, m in zip(expected, part.shape, strict=True)
        ):
            raise MXNetError.checked(
                f"Check failed: {name}: Incompatible input shape: expected "
                f"{_listed(expected)}, got {_listed(part.shape)} for "
                f"input {number}"
            )


@primitive
def concat(xp: Library, *parts: Array, dim: int = 1) -> Result:
    """Arrays joined along an existing axis."""
    check_parts(parts, dim, "Concat", False)
    lengths = [part.shape[dim] for part in parts]
    before = (slice(None),) * (dim % parts[0].ndim)
    ends = list(itertools.accumulate(lengths))
    cuts = [(*before, slice(end - n, end)) for n, end in zip(lengths, ends, strict=True)]
    return xp.concatenate(parts, axis=dim), lambda g: tuple(g[cut] for cut in cuts)


@primitive
def stack(xp: Library, *parts: Array, axis: int = 0) -> Result:
    """Arrays of one shape joined along a new axis."""
    check_parts(parts, axis, "stack", True)
    count = len(parts)
    y = xp.stack(parts, axis=axis)
    at = axis % y.ndim
    return y, lambda g: tuple(g[(slice(None),) * at + (i,)] for i in range(count))


@primitive
def flip(xp: Library, x: Array, *, axes: Sequence[int]) -> Result:
    """x with axes reversed."""
    back = tuple(slice(None, None, -1) if a in axes else slice(None) for a in range(x.ndim))
    return x[back].copy(), lambda g: (g[back],)


@primitive
def tile(xp: Library, x: Array, *, reps: Sequence[int]) -> Result:
    """x repeated along its axes; if `reps` is longer than the shape, new axes come first."""
    ndim = max(x.ndim, len(reps))
    shape = (1,) * (ndim - x.ndim) + tuple(x.shape)
    times = (1,) * (ndim - len(reps)) + tuple(reps)
    paired = tuple(n for pair in zip(times, shape, strict=True) for n in pair)
    return xp.tile(x, tuple(reps)), lambda g: (
        xp.sum(g.reshape(paired), axis=tuple(range(0, 2 * ndim, 2))).reshape(x.shape),
    )


@primitive
def repeat(xp: Library, x: Array, *, repeats: int, axis: int) -> Result:
    """x with each element along an axis repeated `repeats` times."""
    at = axis % x.ndim
    paired = (*x.shape[: at + 1], repeats, *x.shape[at + 1 :])
    return xp.repeat(x, repeats, axis=axis), lambda g: (xp.sum(g.reshape(paired), axis=at + 1),)


@primitive
def spread(xp: Library, x: Array, *, shape: Shape) -> Result:
    """x broadcast to a shape with the same number of axes or more."""
    return xp.broadcast_to(x, shape), lambda g: (unbroadcast(xp, g, x),)
