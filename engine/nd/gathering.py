"""Functions that take or place elements by number, and products of matrices."""

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
    """Slices by number along an axis. A number outside is clipped, taken modulo the length
    (`wrap`), or an error (`raise`).
    """
    chosen("take", "mode", mode, ("clip", "raise", "wrap"))
    if mode == "raise":
        n, xp = a.shape[axis], a._device.use()
        numbers = indices._raw.astype("int64")
        if bool(xp.any((numbers < 0) | (numbers >= n))):
            raise MXNetError(
                "MXNetError: Check failed: is_valid: take operator contains indices out of bound: axis "
                f"{axis} has length {n}"
            )
    return indexing.take(a, indices, axis=axis, mode="wrap" if mode == "wrap" else "clip")


@operator("batch_take")
def batch_take(a: NDArray, indices: NDArray) -> NDArray:
    """One element a row of a matrix, by an int32 number; numbers outside are clipped."""
    if indices._raw.dtype != "int32":
        raise MXNetError(
            f"MXNetError: Type inconsistent, Provided = {indices._raw.dtype}, inferred type = int32"
        )
    return indexing.pick(shape.reshape(a, shape=(0, -1)), indices, axis=1)


@operator("pick", "choose_element_0index")
def pick(
    data: NDArray, index: NDArray, axis: int = -1, keepdims: bool = False, mode: str = "clip"
) -> NDArray:
    """One element a row, by number; one outside is clipped, or taken modulo the length (`wrap`)."""
    chosen("pick", "mode", mode, ("clip", "wrap"))
    if axis is None:
        raise MXNetError(
            "MXNetError: axis=None is not supported by pick yet. Must specify an axis."
        )
    return indexing.pick(data, index, axis=axis, keepdims=bool(keepdims), mode=mode)


@operator("one_hot")
def one_hot(
    indices: NDArray,
    depth: int,
    on_value: float = 1.0,
    off_value: float = 0.0,
    dtype: DType = "float32",
) -> NDArray:
    """A row of `off_value` with `on_value` at the index, none where it is outside; no gradient."""
    return indexing.one_hot(
        indices, depth=depth, on_value=on_value, off_value=off_value, dtype=dtypes.resolve(dtype)
    )


def onehot_encode(indices: NDArray, out: NDArray) -> NDArray:
    """One-hot rows written into `out`, as wide as that is."""
    return one_hot(indices, out.shape[1], dtype=out._raw.dtype, out=out)


@operator("fill_element_0index")
def fill_element_0index(lhs: NDArray, mhs: NDArray, rhs: NDArray) -> NDArray:
    """A copy of a matrix `lhs` with mhs[i] at [i, rhs[i]]."""
    key = (lhs._device.use().arange(lhs.shape[0]), rhs._raw.astype("int64"))
    return indexing.replace(lhs, mhs, key=key)


def _places(indices: NDArray, ndim: int) -> tuple[Any, ...]:
    """Rows of indices as a key. MXNetError where there are more rows than axes."""
    if indices.shape[0] > ndim:
        raise MXNetError(
            f"MXNetError: Check failed: ishape[0] <= dshape.ndim() ({indices.shape[0]} vs. {ndim}) : "
            "Number of "
            "indices exceeds data dimension"
        )
    numbers = indices._raw.astype("int64")
    return tuple(numbers[i] for i in range(indices.shape[0]))


@operator("gather_nd")
def gather_nd(data: NDArray, indices: NDArray) -> NDArray:
    """Elements by place: column j of `indices` names one by its first axes."""
    return indexing.getitem(data, key=_places(indices, data.ndim))


@operator("scatter_nd")
def scatter_nd(data: NDArray, indices: NDArray, shape: tuple[int, ...]) -> NDArray:
    """Zeros with elements put in places, added up where a place is named twice (MXNet keeps one of
    them).
    """
    wanted = axes_tuple(shape)
    key = _places(indices, len(wanted))
    if data.shape != (*indices.shape[1:], *wanted[indices.shape[0] :]):
        listed = ", ".join(
            "[" + ",".join(str(n) for n in s) + "]" for s in (data.shape, indices.shape, wanted)
        )
        raise MXNetError(
            "MXNetError: Check failed: valid: Invalid data, indices, and output shape combination for "
            f"scatter_nd: {listed}"
        )
    return indexing.scatter(data, key=key, shape=wanted)


@operator("ravel_multi_index")
def ravel_multi_index(data: NDArray, shape: tuple[int, ...]) -> NDArray:
    """Columns of coordinates as numbers in an array of a shape."""
    total = elementwise.multiply(data[0], 0)
    for i, n in enumerate(axes_tuple(shape)):
        total = elementwise.add(elementwise.multiply(total, n), data[i])
    return total


@operator("unravel_index")
def unravel_index(data: NDArray, shape: tuple[int, ...]) -> NDArray:
    """Numbers in an array of a shape as columns of coordinates."""
    rest = data._raw.astype("int64")
    rows = []
    for n in reversed(axes_tuple(shape)):
        rows.append((rest % n).astype(data._raw.dtype))
        rest = data._device.use().floor_divide(rest, n)
    return NDArray(data._device.use().stack(rows[::-1], axis=0), data._device)


@operator("dot")
def dot(
    lhs: NDArray, rhs: NDArray, transpose_a: bool = False, transpose_b: bool = False
) -> NDArray:
    """The product over the last axis of one array and the first of another."""
    return linear.dot(lhs, rhs, transpose_a=bool(transpose_a), transpose_b=bool(transpose_b))


@operator("batch_dot")
def batch_dot(
    lhs: NDArray, rhs: NDArray, transpose_a: bool = False, transpose_b: bool = False
) -> NDArray:
    """Products of the matrices in the last two axes; the other axes must be the same."""
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
