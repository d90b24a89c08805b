"""Matrix products."""

from __future__ import annotations

import math
from typing import Any

from engine.autograd import primitive
from engine.errors import MXNetError
from engine.ops.elementwise import check_dtypes


@primitive
def dot(xp, x, y, *, transpose_a=False, transpose_b=False):  # type: ignore[no-untyped-def]
    """The product over the last axis of x and the first of y, for vectors and matrices; a number has shape (1,)."""
    check_dtypes(x, y)
    a = x.T if transpose_a else x
    b = y.T if transpose_b else y
    if a.shape[-1] != b.shape[0]:
        raise MXNetError(f"MXNetError: Check failed: L[1].Size() == R[0].Size(): dot shape error: {list(a.shape)} X {list(b.shape)}")
    z = xp.asarray(xp.dot(a, b)).astype(x.dtype, copy=False)

    def vjp(g: Any) -> tuple[Any, Any]:
        if a.ndim == 1 and b.ndim == 1:
            return g * b, g * a
        ga = xp.outer(g, b) if b.ndim == 1 else xp.dot(g, b.T)
        gb = xp.outer(a, g) if a.ndim == 1 else xp.dot(a.T, g)
        return (ga.T if transpose_a else ga), (gb.T if transpose_b else gb)

    return (z.reshape((1,)) if z.ndim == 0 else z), vjp


def weight_shape(x: tuple[int, ...], units: int, flatten: bool) -> tuple[int, int]:
    """The shape of the weight that a fully connected layer needs for an input of shape `x`."""
    return units, (math.prod(x[1:]) if flatten else x[-1])


@primitive
def fully_connected(xp, x, weight, *bias, flatten=True):  # type: ignore[no-untyped-def]
    """x W^T + b, W being (units, inputs). With `flatten` all axes of x but the first are joined, else the last is taken."""
    needed = weight_shape(x.shape, weight.shape[0], flatten)
    if weight.shape != needed:
        provided = ",".join(str(n) for n in weight.shape)
        raise MXNetError(f"MXNetError: Shape inconsistent, Provided = [{provided}], inferred shape=({needed[0]},{needed[1]})")
    check_dtypes(x, weight)
    rows = x.reshape((x.shape[0], -1)) if flatten else x.reshape((-1, x.shape[-1]))
    y = xp.matmul(rows, weight.T).astype(x.dtype, copy=False)
    if bias:
        y = y + bias[0]
    out = y if flatten else y.reshape((*x.shape[:-1], weight.shape[0]))

    def vjp(g: Any) -> tuple[Any, ...]:
        g = g.reshape(y.shape)
        gradients = (xp.matmul(g, weight).reshape(x.shape), xp.matmul(g.T, rows))
        return (*gradients, xp.sum(g, axis=0)) if bias else gradients

    return out, vjp
