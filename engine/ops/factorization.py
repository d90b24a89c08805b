"""Inverses, determinants and factors of (stacks of) square matrices."""

from __future__ import annotations

from initlab.engine.arrays import Array, Library
from initlab.engine.autograd import primitive
from initlab.engine.ops.elementwise import check_dtypes
from initlab.engine.ops.linear import check_floats
from initlab.engine.tape import Gradients, Result, Results


def _turned(xp: Library, x: Array) -> Array:
    """Return the transposes of the matrices."""
    return xp.swapaxes(x, -1, -2)


def lower_triangle(xp: Library, n: int, x: Array, diagonal: float = 1.0) -> Array:
    """Return an n x n matrix with ones below the diagonal and a number on it, in the dtype of x."""
    rows, columns = xp.arange(n).reshape((n, 1)), xp.arange(n).reshape((1, n))
    return (rows > columns).astype(x.dtype) + (rows == columns).astype(x.dtype) * diagonal


@primitive
def inverse(xp: Library, x: Array) -> Result:
    """The inverse."""
    check_floats(x, "linalg.inverse")
    y = xp.linalg.inv(x)

    def vjp(g: Array) -> tuple[Array]:
        back = _turned(xp, y)
        return (-xp.matmul(xp.matmul(back, g), back),)

    return y, vjp


@primitive
def solve(xp: Library, a: Array, b: Array) -> Result:
    """The matrix x with a x = b."""
    check_dtypes(a, b)
    check_floats(a, "linalg.solve")
    x = xp.linalg.solve(a, b)

    def vjp(g: Array) -> Gradients:
        by_b = xp.linalg.solve(_turned(xp, a), g)
        return -xp.matmul(by_b, _turned(xp, x)), by_b

    return x, vjp


@primitive
def cholesky(xp: Library, x: Array) -> Result:
    """The lower triangular factor l with l l^T = x; the gradient is symmetric (Murray 2016)."""
    check_floats(x, "linalg.potrf")
    y = xp.linalg.cholesky(x)

    def vjp(g: Array) -> tuple[Array]:
        half = lower_triangle(xp, x.shape[-1], x, 0.5)
        inner = xp.matmul(_turned(xp, y), g) * half
        inner = (inner + _turned(xp, inner)) * 0.5
        left = xp.linalg.solve(_turned(xp, y), inner)
        return (_turned(xp, xp.linalg.solve(_turned(xp, y), _turned(xp, left))),)

    return y, vjp


def _of_inverse(xp: Library, x: Array, g: Array) -> Array:
    """Return g times the transposed inverse of x, for each matrix."""
    return _turned(xp, xp.linalg.inv(x)) * g.reshape((*x.shape[:-2], 1, 1))


@primitive
def determinant(xp: Library, x: Array) -> Result:
    """The determinant; that of one matrix has shape (1,)."""
    check_floats(x, "linalg.det")
    y = xp.linalg.det(x)
    return y.reshape(y.shape or (1,)), lambda g: (_of_inverse(xp, x, g * y),)


@primitive
def log_determinant(xp: Library, x: Array) -> Result:
    """The logarithm of the absolute value of the determinant; that of one matrix has shape (1,)."""
    check_floats(x, "linalg.slogdet")
    y = xp.linalg.slogdet(x)[1]
    return y.reshape(y.shape or (1,)), lambda g: (_of_inverse(xp, x, g),)


@primitive
def lq(xp: Library, x: Array) -> Results:
    """(q, l) with x = l q, l lower triangular and the rows of q orthonormal; rows are not more than
    columns.
    """
    check_floats(x, "linalg.gelqf")
    q, r = xp.linalg.qr(_turned(xp, x))
    factors = _turned(xp, q), _turned(xp, r)
    return factors, lambda gs: (_lq_gradient(xp, *factors, *gs),)


def _lq_gradient(
    xp: Library, q: Array, low: Array, by_q: Array | None, by_low: Array | None
) -> Array:
    by_q = xp.zeros_like(q) if by_q is None else by_q
    inner = -xp.matmul(by_q, _turned(xp, q))
    if by_low is not None:
        inner = xp.matmul(_turned(xp, low), by_low) + inner
    kept = inner * lower_triangle(xp, low.shape[-1], low)
    strict = inner * lower_triangle(xp, low.shape[-1], low, 0.0)
    symmetric = kept + _turned(xp, strict)
    return xp.linalg.solve(_turned(xp, low), by_q + xp.matmul(symmetric, q))


@primitive
def eigen(xp: Library, x: Array) -> Results:
    """(u, v) with u x = diag(v) u for symmetric x: rows of u are eigenvectors, v rises.

    Of each eigenvector, the element that is largest in absolute value is positive.
    """
    check_floats(x, "linalg.syevd")
    values, columns = xp.linalg.eigh(x)
    rows = _turned(xp, columns)
    most = xp.max(xp.abs(rows), axis=-1, keepdims=True)
    rows = rows * ((xp.max(rows, axis=-1, keepdims=True) >= most).astype(x.dtype) * 2 - 1)
    return (rows, values), lambda gs: (_eigen_gradient(xp, rows, values, *gs),)


def _eigen_gradient(
    xp: Library, u: Array, v: Array, by_u: Array | None, by_v: Array | None
) -> Array:
    """The gradient is symmetric; equal eigenvalues give no share of the eigenvectors' gradient."""
    n = v.shape[-1]
    inner = xp.zeros_like(u)
    if by_u is not None:
        gaps = v.reshape((*v.shape, 1)) - v.reshape((*v.shape[:-1], 1, n))
        equal = gaps == 0
        shares = xp.where(equal, xp.zeros_like(gaps), 1 / xp.where(equal, xp.ones_like(gaps), gaps))
        inner = xp.matmul(by_u, _turned(xp, u)) * shares
        inner = (inner + _turned(xp, inner)) * 0.5
    if by_v is not None:
        one = lower_triangle(xp, n, v) - lower_triangle(xp, n, v, 0.0)
        inner = inner + by_v.reshape((*v.shape, 1)) * one
    return xp.matmul(xp.matmul(_turned(xp, u), inner), u)
