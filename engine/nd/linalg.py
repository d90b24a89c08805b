"""The `nd.linalg` namespace: products and diagonals of (stacks of) matrices.

Arrays must be floats. Factorizations are not supported.
"""

from __future__ import annotations

from initlab.engine.errors import MXNetError
from initlab.engine.nd.ndarray import NDArray
from initlab.engine.nd.operator import check_array
from initlab.engine.nd.shaping import diag
from initlab.engine.ops import elementwise, indexing, linear, reduce


def _product(a: NDArray, b: NDArray, transpose_a: bool, transpose_b: bool) -> NDArray:
    if a.ndim == b.ndim == 2:
        return linear.dot(a, b, transpose_a=transpose_a, transpose_b=transpose_b)
    return linear.batch_dot(a, b, transpose_a=transpose_a, transpose_b=transpose_b)


def _scaled(x: NDArray, factor: float) -> NDArray:
    return x if factor == 1 else elementwise.multiply(x, factor)


def gemm2(
    A: NDArray, B: NDArray, transpose_a: bool = False, transpose_b: bool = False, alpha: float = 1.0
) -> NDArray:
    """Return alpha op(A) op(B) for the matrices in the last two axes; the other axes must be equal.

    op transposes where `transpose_a` or `transpose_b` is true.
    """
    check_array(A, "A")
    check_array(B, "B")
    return _scaled(_product(A, B, bool(transpose_a), bool(transpose_b)), alpha)


def gemm(
    A: NDArray,
    B: NDArray,
    C: NDArray,
    transpose_a: bool = False,
    transpose_b: bool = False,
    alpha: float = 1.0,
    beta: float = 1.0,
) -> NDArray:
    """Return alpha op(A) op(B) + beta C, like `gemm2`. Raises MXNetError if C has another shape."""
    check_array(C, "C")
    product = gemm2(A, B, transpose_a, transpose_b, alpha)
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
