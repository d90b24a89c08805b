"""Sorting and selection of the largest elements. The sort is stable in both directions."""

from __future__ import annotations

from typing import Any

from initlab.engine import dtypes
from initlab.engine.arrays import DType
from initlab.engine.errors import MXNetError
from initlab.engine.nd.ndarray import NDArray
from initlab.engine.nd.operator import chosen, operator
from initlab.engine.ops import indexing, order, shape

INDEX_DTYPES = ("float16", "float32", "float64", "int32", "int64", "uint8")


def _along(data: NDArray, axis: int | None) -> tuple[NDArray, int]:
    """Return the array and the axis to sort along; with axis None, the flattened array and 0."""
    if axis is None:
        return shape.reshape(data, shape=(-1,)), 0
    if not -data.ndim <= axis < data.ndim:
        raise MXNetError.checked(
            "Check failed: *axis >= 0 && *axis < static_cast<int>(src_shape.ndim()): "
            "Invalid axis! "
            "axis should be between 0 and "
            f"{data.ndim}, found axis={axis}"
        )
    return data, axis % data.ndim


def _numbers(raw: Any, dtype: DType, data: NDArray, name: str) -> NDArray:
    chosen(name, "dtype", dtypes.name(dtype), INDEX_DTYPES)
    return NDArray(raw.astype(dtypes.resolve(dtype)), data._device)


@operator("sort")
def sort(data: NDArray, axis: int | None = -1, is_ascend: bool = True) -> NDArray:
    """Sort the elements along `axis`; with axis None, sort the flattened array."""
    flat, at = _along(data, axis)
    return indexing.take_along_axis(
        flat, numbers=order.order(data._device.use(), flat._raw, at, bool(is_ascend)), axis=at
    )


@operator("argsort")
def argsort(
    data: NDArray, axis: int | None = -1, is_ascend: bool = True, dtype: DType = "float32"
) -> NDArray:
    """Return the indices that sort an array along `axis`, in `dtype`; they have no gradient."""
    flat, at = _along(data, axis)
    return _numbers(
        order.order(data._device.use(), flat._raw, at, bool(is_ascend)), dtype, data, "argsort"
    )


@operator("topk")
def topk(
    data: NDArray,
    axis: int | None = -1,
    k: int = 1,
    ret_typ: str = "indices",
    is_ascend: bool = False,
    dtype: DType = "float32",
) -> Any:
    """Return the k largest elements along `axis` (the k smallest with `is_ascend`).

    If k is 0 or less, all elements are returned, sorted. `ret_typ` chooses the result: their
    `indices` in `dtype`, their `value`, `both` as [values, indices], or a `mask` of the shape of
    `data` with ones at their places. Only values have gradients. Raises MXNetError if k exceeds the
    length of the axis.
    """
    chosen("topk", "ret_typ", ret_typ, ("both", "indices", "mask", "value"))
    flat, at = _along(data, axis)
    length = flat.shape[at]
    if k > length:
        raise MXNetError.checked(
            f"Check failed: *k >= 0 && *k <= *element_num: k must be smaller than {length}, "
            f"get k = {k}"
        )
    xp = data._device.use()
    ordered = order.order(xp, flat._raw, at, bool(is_ascend))
    first = ordered[(slice(None),) * at + (slice(k if k > 0 else length),)]
    if ret_typ == "mask":
        return NDArray(
            (order.ranks(xp, ordered, at) < (k if k > 0 else length))
            .astype(data._raw.dtype)
            .reshape(data.shape),
            data._device,
        )
    if ret_typ == "indices":
        return _numbers(first, dtype, data, "topk")
    values = indexing.take_along_axis(flat, numbers=first, axis=at)
    return values if ret_typ == "value" else [values, _numbers(first, dtype, data, "topk")]
