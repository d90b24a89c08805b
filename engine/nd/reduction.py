"""Reductions over axes, running sums and histograms.

A reduction over all axes returns shape (1,), since MXNet's arrays have at least one axis. With
`exclude`, a reduction runs over all axes but the given ones.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from initlab.engine import dtypes
from initlab.engine.arrays import DType
from initlab.engine.device import from_host
from initlab.engine.errors import MXNetError
from initlab.engine.nd.ndarray import NDArray
from initlab.engine.nd.operator import axes_tuple, checked_axis, operator
from initlab.engine.ops import elementwise, reduce, shape
from initlab.engine.warning import warn

Axis = int | tuple[int, ...] | None


def _axis(axis: Any) -> Any:
    return axis if axis is None or isinstance(axis, int) else axes_tuple(axis)


@operator("sum", "sum_axis")
def sum_(
    data: NDArray, axis: Axis = None, keepdims: bool = False, exclude: bool = False
) -> NDArray:
    """Return the sum over `axis`."""
    return reduce.sum(data, axis=_axis(axis), keepdims=bool(keepdims), exclude=bool(exclude))


@operator("mean")
def mean(
    data: NDArray, axis: Axis = None, keepdims: bool = False, exclude: bool = False
) -> NDArray:
    """Return the mean over `axis`."""
    return reduce.mean(data, axis=_axis(axis), keepdims=bool(keepdims), exclude=bool(exclude))


@operator("prod")
def prod(
    data: NDArray, axis: Axis = None, keepdims: bool = False, exclude: bool = False
) -> NDArray:
    """Return the product over `axis`."""
    return reduce.prod(data, axis=_axis(axis), keepdims=bool(keepdims), exclude=bool(exclude))


@operator("max", "max_axis")
def max_(
    data: NDArray, axis: Axis = None, keepdims: bool = False, exclude: bool = False
) -> NDArray:
    """Return the maximum over `axis`; every element that equals it receives the gradient."""
    return reduce.max(data, axis=_axis(axis), keepdims=bool(keepdims), exclude=bool(exclude))


@operator("min", "min_axis")
def min_(
    data: NDArray, axis: Axis = None, keepdims: bool = False, exclude: bool = False
) -> NDArray:
    """Return the minimum over `axis`; every element that equals it receives the gradient."""
    return reduce.min(data, axis=_axis(axis), keepdims=bool(keepdims), exclude=bool(exclude))


def _without_nan(data: NDArray, value: float) -> NDArray:
    """Replace NaN by `value`, the neutral element of the reduction."""
    xp = data._device.use()
    numbers = NDArray(xp.logical_not(xp.isnan(data._raw)), data._device)
    return elementwise.where(numbers, data, NDArray(xp.full_like(data._raw, value), data._device))


@operator("nansum")
def nansum(
    data: NDArray, axis: Axis = None, keepdims: bool = False, exclude: bool = False
) -> NDArray:
    """Return the sum over `axis` of the elements that are not NaN."""
    return sum_(_without_nan(data, 0), axis, keepdims, exclude)


@operator("nanprod")
def nanprod(
    data: NDArray, axis: Axis = None, keepdims: bool = False, exclude: bool = False
) -> NDArray:
    """Return the product over `axis` of the elements that are not NaN."""
    return prod(_without_nan(data, 1), axis, keepdims, exclude)


@operator("norm")
def norm(
    data: NDArray, ord: int = 2, axis: Axis = None, out_dtype: DType = None, keepdims: bool = False
) -> NDArray:  # noqa: A002
    """Return the Euclidean norm over `axis`, or with `ord=1` the sum of absolute values.

    It is computed in `out_dtype` if given. Raises MXNetError for another `ord`.
    """
    if ord not in (1, 2):
        raise MXNetError.checked(
            "Check failed: param.ord == 1 || param.ord == 2: norm only supports ord=1 and ord=2"
        )
    wide = data if out_dtype is None else elementwise.cast(data, dtype=dtypes.resolve(out_dtype))
    return reduce.norm(wide, ord=ord, axis=_axis(axis), keepdims=bool(keepdims))


@operator("argmax")
def argmax(data: NDArray, axis: int | None = None, keepdims: bool = False) -> NDArray:
    """Return the index of the maximum along `axis`, in the dtype of `data`."""
    return reduce.argmax(
        data, axis=axis if axis is None else checked_axis(axis, data.ndim), keepdims=bool(keepdims)
    )


@operator("argmin")
def argmin(data: NDArray, axis: int | None = None, keepdims: bool = False) -> NDArray:
    """Return the index of the minimum along `axis`, in the dtype of `data`."""
    return reduce.argmin(
        data, axis=axis if axis is None else checked_axis(axis, data.ndim), keepdims=bool(keepdims)
    )


@operator("argmax_channel")
def argmax_channel(data: NDArray) -> NDArray:
    """Return the index of the maximum along axis 1, in the dtype of `data`."""
    return reduce.argmax(data, axis=checked_axis(1, data.ndim))


@operator("moments")
def moments(data: NDArray, axes: Axis = None, keepdims: bool = False) -> list[NDArray]:
    """Return [mean, variance] over `axes`; the variance is divided by n, not by n - 1.

    Raises MXNetError if no axes are given.
    """
    if axes is None or axes == ():
        raise MXNetError.checked(
            "Empty axes is not supported, if you would like to do global moments, please pass "
            "all axes to axes argument"
        )
    kept = reduce.mean(data, axis=_axis(axes), keepdims=True)
    variance = reduce.mean(
        elementwise.square(elementwise.subtract(data, kept)),
        axis=_axis(axes),
        keepdims=bool(keepdims),
    )
    return [kept if keepdims else shape.reshape(kept, shape=variance.shape), variance]


@operator("cumsum")
def cumsum(a: NDArray, axis: int | None = None, dtype: DType = None) -> NDArray:
    """Return the running sums along `axis`, or of the flattened array if `axis` is None."""
    data = a if dtype is None else elementwise.cast(a, dtype=dtypes.resolve(dtype))
    if axis is None:
        return reduce.cumsum(shape.reshape(data, shape=(-1,)), axis=0)
    return reduce.cumsum(data, axis=checked_axis(axis, data.ndim))


@operator("histogram")
def histogram(
    a: NDArray, bins: Any = 10, range: tuple[float, float] | None = None
) -> list[NDArray]:  # noqa: A002
    """Return [counts, edges] of the elements of `a` in bins.

    `bins` is the number of bins or an array of edges. Counts are int64. Without `range`, the bins
    span the elements, and counts have the dtype of `a`, as in MXNet.
    """
    if isinstance(bins, NDArray):
        counts, edges = np.histogram(a.asnumpy(), bins=bins.asnumpy())
        return [NDArray(from_host(counts.astype(np.int64), a._device), a._device), bins.copy()]
    if range is None:
        warn("range is not specified, using numpy's result to ensure consistency with numpy")
    counts, edges = np.histogram(a.asnumpy(), bins=bins, range=range)
    kind = a._raw.dtype if range is None else np.dtype(np.int64)
    return [
        NDArray(from_host(counts.astype(kind), a._device), a._device),
        NDArray(from_host(edges.astype(a._raw.dtype), a._device), a._device),
    ]


@operator("L2Normalization")
def l2_normalization(data: NDArray, eps: float = 1e-10, mode: str = "instance") -> NDArray:
    """Return x / sqrt(sum x^2 + eps).

    The sum runs over all axes but the first (mode `instance`), over axis 1 (`channel`), or over all
    axes from 2 on (`spatial`). Raises MXNetError for another mode, or if `data` has too few axes
    for it.
    """
    from_mode = {"instance": 2, "channel": 3, "spatial": 3}
    if mode not in from_mode:
        raise MXNetError.checked(
            f"Invalid Input: '{mode}', valid values are: {{'channel', 'instance', 'spatial'}}, "
            "in L2Normalization"
        )
    if data.ndim < from_mode[mode]:
        raise MXNetError.checked(
            f"Check failed: dshape.ndim() >= {from_mode[mode]} ({data.ndim} vs. "
            f"{from_mode[mode]}) "
            f": At lease {from_mode[mode]} "
            f"dimensions required in {mode} mode"
        )
    axes = {
        "instance": tuple(np.arange(1, data.ndim).tolist()),
        "channel": 1,
        "spatial": tuple(np.arange(2, data.ndim).tolist()),
    }[mode]
    total = reduce.sum(elementwise.square(data), axis=axes, keepdims=True)
    return elementwise.divide(data, elementwise.sqrt(elementwise.add(total, eps)))
