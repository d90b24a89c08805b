"""Functions that read or write elements by index, and products of matrices."""

from __future__ import annotations

from typing import Any

from initlab.engine import dtypes
from initlab.engine.arrays import DType
from initlab.engine.errors import MXNetError
from initlab.engine.nd.ndarray import NDArray
from initlab.engine.nd.operator import axes_tuple, check_array, chosen, operator
from initlab.engine.ops import elementwise, indexing, linear, shape


@operator("take")
def take(a: NDArray, indices: NDArray, axis: int = 0, mode: str = "clip") -> NDArray:
    """Return the slices of `a` along `axis` with the indices `indices`.

    `mode` says what happens to an index out of range: `clip` it, take it modulo the length
    (`wrap`), or `raise` MXNetError.
    """
    chosen("take", "mode", mode, ("clip", "raise", "wrap"))
    if mode == "raise":
        n, xp = a.shape[axis], a._device.use()
        numbers = indices._raw.astype("int64")
        if bool(xp.any((numbers < 0) | (numbers >= n))):
            raise MXNetError.checked(
                "Check failed: is_valid: take operator contains indices out of bound: axis "
                f"{axis} has length {n}"
            )
    return indexing.take(a, indices, axis=axis, mode="wrap" if mode == "wrap" else "clip")


@operator("batch_take")
def batch_take(a: NDArray, indices: NDArray) -> NDArray:
    """Return a[i, indices[i]] for each row i of a matrix.

    Indices are int32, and those out of range are clipped. Raises MXNetError for indices of another
    dtype.
    """
    if indices._raw.dtype != "int32":
        raise MXNetError.checked(
            f"Type inconsistent, Provided = {indices._raw.dtype}, inferred type = int32"
        )
    return indexing.pick(shape.reshape(a, shape=(0, -1)), indices, axis=1)


@operator("pick", "choose_element_0index")
def pick(
    data: NDArray, index: NDArray, axis: int = -1, keepdims: bool = False, mode: str = "clip"
) -> NDArray:
    """Return one element of each row along `axis`, at the index in `index`.

    An index out of range is clipped, or taken modulo the length with mode `wrap`. Raises MXNetError
    if `axis` is None.
    """
    chosen("pick", "mode", mode, ("clip", "wrap"))
    if axis is None:
        raise MXNetError.checked("axis=None is not supported by pick yet. Must specify an axis.")
    return indexing.pick(data, index, axis=axis, keepdims=bool(keepdims), mode=mode)


@operator("one_hot")
def one_hot(
    indices: NDArray,
    depth: int,
    on_value: float = 1.0,
    off_value: float = 0.0,
    dtype: DType = "float32",
) -> NDArray:
    """Return rows of length `depth` that hold `on_value` at the index and `off_value` elsewhere.

    The result has shape (*indices.shape, depth) and no gradient. A row whose index is out of range
    holds `off_value` only.
    """
    return indexing.one_hot(
        indices, depth=depth, on_value=on_value, off_value=off_value, dtype=dtypes.resolve(dtype)
    )


def onehot_encode(indices: NDArray, out: NDArray) -> NDArray:
    """Write one-hot rows of length out.shape[1] into `out`, and return it."""
    return one_hot(indices, out.shape[1], dtype=out._raw.dtype, out=out)


@operator("fill_element_0index")
def fill_element_0index(lhs: NDArray, mhs: NDArray, rhs: NDArray) -> NDArray:
    """Return a copy of the matrix `lhs` with mhs[i] written at [i, rhs[i]]."""
    key = (lhs._device.use().arange(lhs.shape[0]), rhs._raw.astype("int64"))
    return indexing.replace(lhs, mhs, key=key)


def _places(indices: NDArray, ndim: int) -> tuple[Any, ...]:
    """Return the rows of `indices` as an index of the first axes of an array.

    Raises MXNetError if there are more rows than axes.
    """
    if indices.shape[0] > ndim:
        raise MXNetError.checked(
            f"Check failed: ishape[0] <= dshape.ndim() ({indices.shape[0]} vs. {ndim}) : "
            "Number of "
            "indices exceeds data dimension"
        )
    numbers = indices._raw.astype("int64")
    return tuple(numbers[i] for i in range(indices.shape[0]))


@operator("gather_nd")
def gather_nd(data: NDArray, indices: NDArray) -> NDArray:
    """Return the elements of `data` at the columns of `indices`.

    Column j of `indices` holds the index along each of the first indices.shape[0] axes.
    """
    return indexing.getitem(data, key=_places(indices, data.ndim))


@operator("scatter_nd")
def scatter_nd(data: NDArray, indices: NDArray, shape: tuple[int, ...]) -> NDArray:
    """Return zeros of `shape` with the elements of `data` added at the columns of `indices`.

    Elements with the same index are summed; MXNet keeps only one of them. Raises MXNetError if the
    shape of `data` does not fit `indices` and `shape`.
    """
    wanted = axes_tuple(shape)
    key = _places(indices, len(wanted))
    if data.shape != (*indices.shape[1:], *wanted[indices.shape[0] :]):
        listed = ", ".join(
            "[" + ",".join(str(n) for n in s) + "]" for s in (data.shape, indices.shape, wanted)
        )
        raise MXNetError.checked(
            "Check failed: valid: Invalid data, indices, and output shape combination for "
            f"scatter_nd: {listed}"
        )
    return indexing.scatter(data, key=key, shape=wanted)


@operator("ravel_multi_index")
def ravel_multi_index(data: NDArray, shape: tuple[int, ...]) -> NDArray:
    """Convert columns of coordinates in an array of `shape` to flat indices."""
    total = elementwise.multiply(data[0], 0)
    for i, n in enumerate(axes_tuple(shape)):
        total = elementwise.add(elementwise.multiply(total, n), data[i])
    return total


@operator("unravel_index")
def unravel_index(data: NDArray, shape: tuple[int, ...]) -> NDArray:
    """Convert flat indices into an array of `shape` to columns of coordinates. The first size may be
    -1, for as many as there are.
    """
    rest = data._raw.astype("int64")
    rows = []
    for n in reversed(axes_tuple(shape)):
        rows.append((rest if n < 0 else rest % n).astype(data._raw.dtype))
        rest = data._device.use().floor_divide(rest, n)
    return NDArray(data._device.use().stack(rows[::-1], axis=0), data._device)


@operator("dot")
def dot(
    lhs: NDArray, rhs: NDArray, transpose_a: bool = False, transpose_b: bool = False
) -> NDArray:
    """Return the product over the last axis of `lhs` and the first axis of `rhs`.

    `transpose_a` and `transpose_b` transpose an operand first.
    """
    return linear.dot(lhs, rhs, transpose_a=bool(transpose_a), transpose_b=bool(transpose_b))


@operator("batch_dot")
def batch_dot(
    lhs: NDArray, rhs: NDArray, transpose_a: bool = False, transpose_b: bool = False
) -> NDArray:
    """Multiply the matrices in the last two axes of `lhs` and `rhs`; the other axes must be equal."""
    return linear.batch_dot(lhs, rhs, transpose_a=bool(transpose_a), transpose_b=bool(transpose_b))


@operator("khatri_rao")
def khatri_rao(*args: NDArray) -> NDArray:
    """Return the Khatri-Rao product: column k is the Kronecker product of the matrices' columns k.

    Source: Khatri and Rao 1968.
    """
    total = args[0]
    for matrix in args[1:]:
        check_array(matrix, "matrix")
        rows = shape.reshape(total, shape=(total.shape[0], 1, -1))
        product = elementwise.multiply(rows, shape.reshape(matrix, shape=(1, *matrix.shape)))
        total = shape.reshape(product, shape=(-3, 0))
    return total
