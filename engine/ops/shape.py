"""Same elements, another shape or order."""

from __future__ import annotations

import math
from typing import Any

from engine.autograd import primitive
from engine.errors import MXNetError


def target_shape(shape: tuple[int, ...], asked: tuple[int, ...]) -> tuple[int, ...]:
    """The shape that MXNet's reshape codes ask for: 0 keeps an axis, -1 takes the rest, -2 all remaining axes, -3 joins two."""
    result: list[int] = []
    at = 0
    for code in asked:
        if code == 0:
            result.append(shape[at])
            at += 1
        elif code == -2:
            result += shape[at:]
            at = len(shape)
        elif code == -3:
            result.append(shape[at] * shape[at + 1])
            at += 2
        else:
            result.append(code)
            at += 1
    known = math.prod(n for n in result if n != -1)
    size = math.prod(shape)
    if result.count(-1) == 1 and known and size % known == 0:
        result[result.index(-1)] = size // known
    if math.prod(result) != size or -1 in result:
        raise MXNetError(f"MXNetError: Target shape size is different to source. Target: {list(result)} Source: {list(shape)}")
    return tuple(result)


@primitive
def reshape(xp, x, *, shape):  # type: ignore[no-untyped-def]
    """Another shape of the same size (see `target_shape`)."""
    return x.reshape(target_shape(x.shape, tuple(shape))), lambda g: (g.reshape(x.shape),)


@primitive
def transpose(xp, x, *, axes=None):  # type: ignore[no-untyped-def]
    """The axes in another order, reversed by default."""
    order = tuple(axes) if axes else tuple(reversed(range(x.ndim)))
    back = tuple(order.index(i) for i in range(x.ndim))
    return xp.transpose(x, order), lambda g: (xp.transpose(g, back),)


@primitive
def broadcast_to(xp, x, *, shape):  # type: ignore[no-untyped-def]
    """x stretched along its axes of length 1; a 0 keeps an axis."""
    wanted = tuple(x.shape[i] if n == 0 else n for i, n in enumerate(shape))
    stretched = tuple(i for i, n in enumerate(x.shape) if n == 1 and wanted[i] != 1)
    y = xp.broadcast_to(x, wanted).copy()
    return y, lambda g: (xp.sum(g, axis=stretched, keepdims=True) if stretched else g,)


@primitive
def concat(xp, *parts, dim=1):  # type: ignore[no-untyped-def]
    """Arrays end to end along an axis."""
    lengths = [part.shape[dim] for part in parts]

    def vjp(g: Any) -> tuple[Any, ...]:
        pieces, at = [], 0
        for n in lengths:
            cut = [slice(None)] * g.ndim
            cut[dim] = slice(at, at + n)
            pieces.append(g[tuple(cut)])
            at += n
        return tuple(pieces)

    return xp.concatenate(parts, axis=dim), vjp


@primitive
def stack(xp, *parts, axis=0):  # type: ignore[no-untyped-def]
    """Arrays of one shape along a new axis."""
    count = len(parts)
    y = xp.stack(parts, axis=axis)
    at = axis % y.ndim
    return y, lambda g: tuple(g[(slice(None),) * at + (i,)] for i in range(count))
