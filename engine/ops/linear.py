"""Matrix products."""

from __future__ import annotations

import math

from initlab.engine.arrays import Array, Library
from initlab.engine.autograd import primitive
from initlab.engine.errors import MXNetError
from initlab.engine.ops.elementwise import check_dtypes, unbroadcast
from initlab.engine.tape import Gradients, Result


def _listed(shape: tuple[int, ...]) -> str:
    return "[" + ",".join(str(n) for n in shape) + "]"


def check_floats(x: Array, name: str) -> None:
    """Raise MXNetError for integers, in an operation that MXNet has for floats only."""
    if str(x.dtype) in ("int8", "int32", "int64", "uint8", "bool"):
        raise MXNetError.checked(f"{name} only supports floating point types, not {x.dtype}")


@primitive
def dot(
    xp: Library, x: Array, y: Array, *, transpose_a: bool = False, transpose_b: bool = False
) -> Result:
    """The product over the last axis of x and the first of y; a number has shape (1,).

    `transpose_a` moves the first axis of x to the end, `transpose_b` the last axis of y to the
    front: for matrices, the transpose.
    """
    check_dtypes(x, y)
    check_floats(x, "dot")
    a = xp.transpose(x, (*range(1, x.ndim), 0)) if transpose_a else x
    b = xp.transpose(y, (y.ndim - 1, *range(y.ndim - 1))) if transpose_b else y
    if a.shape[-1] != b.shape[0]:
        flags = (
            f" trans_a={int(transpose_a)} trans_b={int(transpose_b)}"
            if transpose_a or transpose_b
            else ""
        )
        sizes = (
            "L[!Ta].Size() == R[Tb].Size()"
            if x.ndim > 1 and y.ndim > 1
            else "L[0].Size() == R[0].Size()"
        )
        raise MXNetError.checked(
            f"Check failed: {sizes}: dot shape error: {_listed(x.shape)} X "
            f"{_listed(y.shape)}{flags}"
        )
    shared = b.shape[0]
    shape = (*a.shape[:-1], *b.shape[1:]) or (1,)
    rows, columns = a.reshape((-1, shared)), b.reshape((shared, -1))
    z = xp.matmul(rows, columns).astype(x.dtype, copy=False).reshape(shape)

    def vjp(g: Array) -> tuple[Array, Array]:
        flat = g.reshape((rows.shape[0], columns.shape[1]))
        ga = xp.matmul(flat, xp.transpose(columns, (1, 0))).reshape(a.shape)
        gb = xp.matmul(xp.transpose(rows, (1, 0)), flat).reshape(b.shape)
        back_a = xp.transpose(ga, (x.ndim - 1, *range(x.ndim - 1))) if transpose_a else ga
        back_b = xp.transpose(gb, (*range(1, y.ndim), 0)) if transpose_b else gb
        return back_a, back_b

    return z, vjp


@primitive
def batch_dot(
    xp: Library, x: Array, y: Array, *, transpose_a: bool = False, transpose_b: bool = False
) -> Result:
    """Matrix products of the last two axes; the leading axes must be equal."""
    check_dtypes(x, y)
    check_floats(x, "batch_dot")
    if x.ndim < 3 or x.ndim != y.ndim:
        listed = f"{_listed(x.shape)} v.s. {_listed(y.shape)}"
        raise MXNetError.checked(f"batch_dot currently only support N-D*N-D array (N >= 3){listed}")
    a = xp.swapaxes(x, -1, -2) if transpose_a else x
    b = xp.swapaxes(y, -1, -2) if transpose_b else y
    said = f"{_listed(x.shape)} X {_listed(y.shape)} trans_a={int(transpose_a)} trans_b={int(transpose_b)}"
    for n, m in zip(x.shape[:-2], y.shape[:-2], strict=True):
        if n != m:
            problem = "batch_dot shape error (the leading batch dimensions must be equal)"
            raise MXNetError.checked(
                f"Check failed: lshape[i] == rshape[i] ({n} vs. {m}) : {problem}: {said}"
            )
    if a.shape[-1] != b.shape[-2]:
        counts = f"({a.shape[-1]} vs. {b.shape[-2]})"
        raise MXNetError.checked(
            f"Check failed: lshape_k == rshape_k {counts} : batch_dot shape error (shape "
            f"mismatch): {said}"
        )

    def vjp(g: Array) -> tuple[Array, Array]:
        ga, gb = xp.matmul(g, xp.swapaxes(b, -1, -2)), xp.matmul(xp.swapaxes(a, -1, -2), g)
        return (xp.swapaxes(ga, -1, -2) if transpose_a else ga), (
            xp.swapaxes(gb, -1, -2) if transpose_b else gb
        )

    return xp.matmul(a, b).astype(x.dtype, copy=False), vjp


def weight_shape(x: tuple[int, ...], units: int, flatten: bool) -> tuple[int, int]:
    """Return the shape of the weight of a fully connected layer for an input of shape `x`."""
    return units, (math.prod(x[1:]) if flatten else x[-1])


@primitive
def fully_connected(
    xp: Library, x: Array, weight: Array, *bias: Array, flatten: bool = True
) -> Result:
    """x W^T + b, with W of shape (units, inputs).

    With `flatten` all axes of x but the first are joined, else the product runs over the last axis.
    """
    needed = weight_shape(x.shape, weight.shape[0], flatten)
    if weight.shape != needed:
        provided = ",".join(str(n) for n in weight.shape)
        raise MXNetError.checked(
            f"Shape inconsistent, Provided = [{provided}], inferred shape=({needed[0]},{needed[1]})"
        )
    check_dtypes(x, weight)
    rows = x.reshape((x.shape[0], -1)) if flatten else x.reshape((-1, x.shape[-1]))
    y = xp.matmul(rows, weight.T).astype(x.dtype, copy=False)
    if bias:
        y = y + bias[0]
    out = y if flatten else y.reshape((*x.shape[:-1], weight.shape[0]))

    def vjp(g: Array) -> tuple[Array, ...]:
        g = g.reshape(y.shape)
        gradients = (xp.matmul(g, weight).reshape(x.shape), xp.matmul(g.T, rows))
        return (*gradients, xp.sum(g, axis=0)) if bias else gradients

    return out, vjp


@primitive
def matmul(xp: Library, x: Array, y: Array) -> Result:
    """Products of matrices in the last two axes; the leading axes broadcast."""

    def vjp(g: Array) -> Gradients:
        by_x, by_y = xp.matmul(g, xp.swapaxes(y, -1, -2)), xp.matmul(xp.swapaxes(x, -1, -2), g)
        return unbroadcast(xp, by_x, x), unbroadcast(xp, by_y, y)

    z = xp.matmul(x, y)
    return z.astype(x.dtype, copy=False) if x.dtype == y.dtype else z, vjp
