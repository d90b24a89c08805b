"""Making arrays."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from initlab.engine import dtypes
from initlab.engine.arrays import DType
from initlab.engine.device import Device, from_host
from initlab.engine.errors import MXNetError
from initlab.engine.nd.ndarray import NDArray, place

Shape = int | Sequence[int]


def shape_tuple(shape: Shape) -> tuple[int, ...]:
    """A shape given as a number or a sequence."""
    return (int(shape),) if isinstance(shape, (int, np.integer)) else tuple(int(n) for n in shape)


def array(
    source_array: object,
    ctx: Device | None = None,
    dtype: DType = None,
    device: Device | None = None,
) -> NDArray:
    """A copy of anything array-like: in the dtype of an NDArray, else float32 unless `dtype` says
    otherwise.
    """
    if isinstance(source_array, NDArray):
        dtype = source_array.dtype if dtype is None else dtype
        source_array = source_array.asnumpy()
    resolved = dtypes.resolve("float32" if dtype is None else dtype)
    try:
        values = np.array(source_array, dtype=resolved)
    except (TypeError, ValueError) as error:
        raise TypeError(f"source_array must be array like object: {error}") from None
    where = place(ctx, device)
    return NDArray(from_host(values.reshape(values.shape or (1,)), where), where)


def _filled(
    maker: str, shape: Shape, ctx: Device | None, dtype: DType, device: Device | None, *value: float
) -> NDArray:
    where = place(ctx, device)
    resolved = dtypes.resolve("float32" if dtype is None else dtype)
    return NDArray(getattr(where.use(), maker)(shape_tuple(shape), *value, dtype=resolved), where)


def zeros(
    shape: Shape, ctx: Device | None = None, dtype: DType = None, device: Device | None = None
) -> NDArray:
    """All 0."""
    return _filled("zeros", shape, ctx, dtype, device)


def ones(
    shape: Shape, ctx: Device | None = None, dtype: DType = None, device: Device | None = None
) -> NDArray:
    """All 1."""
    return _filled("ones", shape, ctx, dtype, device)


def empty(
    shape: Shape, ctx: Device | None = None, dtype: DType = None, device: Device | None = None
) -> NDArray:
    """Whatever the memory holds."""
    return _filled("empty", shape, ctx, dtype, device)


def full(
    shape: Shape,
    val: float,
    ctx: Device | None = None,
    dtype: DType = None,
    out: NDArray | None = None,
    device: Device | None = None,
) -> NDArray:
    """All the same number; written into `out` where that is given."""
    if out is None:
        return _filled("full", shape, ctx, dtype, device, val)
    out[:] = val
    return out


def full_like(data: NDArray, fill_value: float) -> NDArray:
    """All the same number, like another array."""
    return NDArray(data._device.use().full_like(data._raw, fill_value), data._device)


def arange(
    start: float,
    stop: float | None = None,
    step: float = 1.0,
    repeat: int = 1,
    ctx: Device | None = None,
    dtype: DType = None,
    device: Device | None = None,
) -> NDArray:
    """start, start + step, … below stop, each `repeat` times; from 0 when only one number is given.
    MXNetError for an empty range.
    """
    where = place(ctx, device)
    first, last = (0, start) if stop is None else (start, stop)
    if step == 0 or (last - first) / step <= 0:
        raise MXNetError(
            f"MXNetError: Check failed: Invalid range (start, stop, step) = ({first:g},{last:g},{step:g})"
        )
    raw = where.use().arange(
        first, last, step, dtype=dtypes.resolve("float32" if dtype is None else dtype)
    )
    return NDArray(raw if repeat == 1 else where.use().repeat(raw, repeat), where)


def eye(
    N: int,
    M: int = 0,
    k: int = 0,
    ctx: Device | None = None,
    dtype: DType = None,
    device: Device | None = None,
) -> NDArray:
    """Ones on a diagonal."""
    where = place(ctx, device)
    return NDArray(
        where.use().eye(N, M or N, k, dtype=dtypes.resolve("float32" if dtype is None else dtype)),
        where,
    )


def linspace(
    start: float,
    stop: float,
    num: int,
    endpoint: bool = True,
    ctx: Device | None = None,
    dtype: DType = None,
    device: Device | None = None,
) -> NDArray:
    """`num` numbers at equal distances."""
    if num < 0:
        raise MXNetError(f"linspace: num must not be negative, got {num}")
    where = place(ctx, device)
    resolved = dtypes.resolve("float32" if dtype is None else dtype)
    return NDArray(
        where.use().linspace(start, stop, num, endpoint=endpoint).astype(resolved), where
    )
