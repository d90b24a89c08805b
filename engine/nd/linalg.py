"""The `nd.linalg` namespace: products, triangles, factors and inverses of the matrices in the last
two axes.

Arrays must be floats. A factor of a matrix that has none raises MXNetError. Each function is also
called `nd.linalg_…`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from initlab.engine.errors import MXNetError
from initlab.engine.nd.ndarray import NDArray
from initlab.engine.nd.operator import check_array, checked_axis
from initlab.engine.nd.shaping import diag
from initlab.engine.ops import elementwise, factorization, indexing, linear, reduce, shape
from initlab.lazy import suggesting


def _product(a: NDArray, b: NDArray, transpose_a: bool, transpose_b: bool) -> NDArray:
    if a.ndim == b.ndim == 2:
        return linear.dot(a, b, transpose_a=transpose_a, transpose_b=transpose_b)
    return linear.batch_dot(a, b, transpose_a=transpose_a, transpose_b=transpose_b)


def _scaled(x: NDArray, factor: float) -> NDArray:
    return x if factor == 1 else elementwise.multiply(x, factor)


def gemm2(
    A: NDArray,
    B: NDArray,
    transpose_a: bool = False,
    transpose_b: bool = False,
    alpha: float = 1.0,
    axis: int = -2,
) -> NDArray:
    """Return alpha op(A) op(B) for the matrices in the last two axes; the other axes must be equal.

    op transposes where `transpose_a` or `transpose_b` is true. `axis` is that of the rows, by default
    the last but one.
    """
    check_array(A, "A")
    check_array(B, "B")
    left, right = _with_rows(A, axis), _with_rows(B, axis)
    product = _product(left, right, bool(transpose_a), bool(transpose_b))
    return _scaled(_with_rows(product, axis), alpha)


def _with_rows(x: NDArray, axis: int) -> NDArray:
    """Exchange the axis of the rows with the last but one."""
    at = checked_axis(axis, x.ndim)
    if at == x.ndim - 2:
        return x
    order = list(range(x.ndim))
    order[at], order[-2] = order[-2], order[at]
    return shape.transpose(x, axes=tuple(order))


def gemm(
    A: NDArray,
    B: NDArray,
    C: NDArray,
    transpose_a: bool = False,
    transpose_b: bool = False,
    alpha: float = 1.0,
    beta: float = 1.0,
    axis: int = -2,
) -> NDArray:
    """Return alpha op(A) op(B) + beta C, like `gemm2`. Raises MXNetError if C has another shape."""
    check_array(C, "C")
    product = gemm2(A, B, transpose_a, transpose_b, alpha, axis)
    if product.shape != C.shape:
        raise MXNetError.checked(
            f"linalg.gemm: the product has shape {product.shape}, but C has {C.shape}"
        )
    return elementwise.add(product, _scaled(C, beta))


def syrk(A: NDArray, transpose: bool = False, alpha: float = 1.0) -> NDArray:
    """Return alpha A A^T, or alpha A^T A with `transpose`."""
    check_array(A, "A")
    return _scaled(_product(A, A, bool(transpose), not transpose), alpha)


def extractdiag(A: NDArray, offset: int = 0) -> NDArray:
    """Return the `offset`-th diagonals of the matrices in the last two axes."""
    check_array(A, "A")
    return diag(A, k=offset, axis1=-2, axis2=-1)


def makediag(A: NDArray, offset: int = 0) -> NDArray:
    """Return matrices that hold the last axis of `A` on the `offset`-th diagonal and zeros
    elsewhere.
    """
    check_array(A, "A")
    n = A.shape[-1]
    numbers = A._device.use().arange(n)
    size = n + abs(offset)
    key = (Ellipsis, numbers + max(-offset, 0), numbers + max(offset, 0))
    return indexing.scatter(A, key=key, shape=(*A.shape[:-1], size, size))


def sumlogdiag(A: NDArray) -> NDArray:
    """Return the sum of the logarithms of the diagonal, for each matrix in the last two axes."""
    check_array(A, "A")
    return reduce.sum(elementwise.log(extractdiag(A)), axis=-1)


def _triangle(A: NDArray, lower: bool) -> NDArray:
    """Return the matrices with zeros in the other triangle."""
    xp, n = A._device.use(), A.shape[-1]
    mask = factorization.lower_triangle(xp, n, A._raw)
    return elementwise.multiply(A, NDArray(mask if lower else mask.T, A._device))


def _turned(A: NDArray) -> NDArray:
    return shape.transpose(A, axes=(*range(A.ndim - 2), A.ndim - 1, A.ndim - 2))


def _square(name: str, A: NDArray) -> None:
    check_array(A, "A")
    if A.ndim < 2 or A.shape[-1] != A.shape[-2]:
        raise MXNetError.checked(f"linalg.{name}: needs square matrices, got shape {A.shape}")


def potrf(A: NDArray) -> NDArray:
    """Return the lower triangular L with L L^T = A, for symmetric positive definite A."""
    _square("potrf", A)
    return factorization.cholesky(A)


def potri(A: NDArray) -> NDArray:
    """Return (A A^T)^-1 for a lower triangular A, such as `potrf` gives."""
    _square("potri", A)
    low = _triangle(A, True)
    return factorization.inverse(_product(low, low, False, True))


def trmm(
    A: NDArray,
    B: NDArray,
    transpose: bool = False,
    rightside: bool = False,
    lower: bool = True,
    alpha: float = 1.0,
) -> NDArray:
    """Return alpha op(A) B, or alpha B op(A) with `rightside`, for a triangular A.

    Only the lower triangle of A counts, or without `lower` the upper one; op transposes.
    """
    _square("trmm", A)
    check_array(B, "B")
    part = _triangle(A, bool(lower))
    if rightside:
        return _scaled(_product(B, part, False, bool(transpose)), alpha)
    return _scaled(_product(part, B, bool(transpose), False), alpha)


def trsm(
    A: NDArray,
    B: NDArray,
    transpose: bool = False,
    rightside: bool = False,
    lower: bool = True,
    alpha: float = 1.0,
) -> NDArray:
    """Return X with op(A) X = alpha B, or X op(A) = alpha B with `rightside`, like `trmm`."""
    _square("trsm", A)
    check_array(B, "B")
    part = _triangle(A, bool(lower))
    if bool(transpose) != bool(rightside):
        part = _turned(part)
    if rightside:
        return _turned(factorization.solve(part, _turned(_scaled(B, alpha))))
    return factorization.solve(part, _scaled(B, alpha))


def gelqf(A: NDArray) -> tuple[NDArray, NDArray]:
    """Return (Q, L) with A = L Q: L lower triangular, the rows of Q orthonormal.

    Raises MXNetError if A has more rows than columns.
    """
    check_array(A, "A")
    if A.ndim < 2 or A.shape[-2] > A.shape[-1]:
        raise MXNetError.checked(
            f"linalg.gelqf: needs matrices with at most as many rows as columns, got {A.shape}"
        )
    q, low = factorization.lq(A)
    return q, low


def syevd(A: NDArray) -> tuple[NDArray, NDArray]:
    """Return (U, v) with A = U^T diag(v) U for a symmetric A: rows of U are eigenvectors, v rises."""
    _square("syevd", A)
    rows, values = factorization.eigen(A)
    return rows, values


def inverse(A: NDArray) -> NDArray:
    """Return the inverse."""
    _square("inverse", A)
    return factorization.inverse(A)


def det(A: NDArray) -> NDArray:
    """Return the determinant, of shape (1,) for one matrix."""
    _square("det", A)
    return factorization.determinant(A)


def slogdet(A: NDArray) -> tuple[NDArray, NDArray]:
    """Return (sign, logarithm of the absolute value) of the determinant."""
    _square("slogdet", A)
    sign = A._device.use().linalg.slogdet(A._raw)[0]
    return NDArray(sign.reshape(sign.shape or (1,)), A._device), factorization.log_determinant(A)


def _places(A: NDArray, n: int, offset: int, lower: bool) -> tuple[object, ...]:
    """Return the key of a triangle: of the lower one row by row, of the upper one column by column.

    Its edge is the `offset`-th diagonal. A positive offset means the upper triangle, a negative one
    the lower, whatever `lower` says.
    """
    low = offset < 0 or (offset == 0 and lower)
    cells = [(i, j) for i in range(n) for j in range(n) if i - j >= abs(offset)]
    xp = A._device.use()
    rows, columns = (xp.asarray([cell[axis] for cell in cells]) for axis in range(2))
    return (Ellipsis, rows, columns) if low else (Ellipsis, columns, rows)


def extracttrian(A: NDArray, offset: int = 0, lower: bool = True) -> NDArray:
    """Return the elements of a triangle as a last axis: of the lower one row by row, without `lower`
    of the upper one column by column. `offset` moves its edge.
    """
    _square("extracttrian", A)
    return indexing.getitem(A, key=_places(A, A.shape[-1], offset, bool(lower)), view=False)


def maketrian(A: NDArray, offset: int = 0, lower: bool = True) -> NDArray:
    """Return matrices of zeros with a triangle from the last axis, in the order of `extracttrian`.

    Raises MXNetError if the length belongs to no triangle.
    """
    check_array(A, "A")
    count = A.shape[-1]
    side = int(((8 * count + 1) ** 0.5 - 1) / 2)
    if side * (side + 1) // 2 != count:
        raise MXNetError.checked(f"linalg.maketrian: {count} elements make no triangle")
    n = side + abs(offset)
    key = _places(A, n, offset, bool(lower))
    return indexing.scatter(A, key=key, shape=(*A.shape[:-1], n, n))


FUNCTIONS = (
    gemm, gemm2, syrk, extractdiag, makediag, sumlogdiag, potrf, potri, trmm, trsm, gelqf, syevd,
    inverse, det, slogdet, extracttrian, maketrian,
)  # fmt: skip
"""Every function of this namespace."""

if not TYPE_CHECKING:
    __getattr__ = suggesting(__name__)
