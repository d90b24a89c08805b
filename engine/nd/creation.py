"""Functions that create arrays. The dtype is float32 and the device the current one unless given."""

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
    """Return a shape, given as a number or as a sequence, as a tuple."""
    return (int(shape),) if isinstance(shape, (int, np.integer)) else tuple(int(n) for n in shape)


def array(
    source_array: object,
    ctx: Device | None = None,
    dtype: DType = None,
    device: Device | None = None,
) -> NDArray:
    """Copy anything array-like into a new array; a number becomes an array without axes.

    The dtype is `dtype` if given, else that of `source_array` if it is an NDArray, else float32.
    Raises TypeError if NumPy cannot read `source_array`.
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
    return NDArray(from_host(values, where), where)


def check_dense(stype: str | None) -> None:
    """Raise ValueError for a sparse storage type: arrays are dense here."""
    if stype not in (None, "default"):
        raise ValueError(f"stype cannot be '{stype}': there are no sparse arrays here - 'default'")


def _filled(
    maker: str,
    shape: Shape,
    ctx: Device | None,
    dtype: DType,
    device: Device | None,
    *value: float,
    out: NDArray | None = None,
    stype: str | None = None,
) -> NDArray:
    """Return an array that the library's function `maker` makes, or write it into `out`."""
    check_dense(stype)
    where = place(ctx, device)
    wanted = shape_tuple(shape)
    if any(n < 0 for n in wanted):
        raise MXNetError(f"{maker}: the length of an axis cannot be negative, got shape {wanted}")
    if out is not None:
        if out.shape != wanted:
            provided, inferred = ("[" + ",".join(map(str, s)) + "]" for s in (out.shape, wanted))
            raise MXNetError.checked(
                f"Shape inconsistent, Provided = {provided}, inferred shape={inferred}"
            )
        dtype, where = out.dtype, out.device
    resolved = dtypes.resolve("float32" if dtype is None else dtype)
    made = NDArray(getattr(where.use(), maker)(wanted, *value, dtype=resolved), where)
    if out is None:
        return made
    out[:] = made
    return out


def zeros(
    shape: Shape,
    ctx: Device | None = None,
    dtype: DType = None,
    stype: str | None = None,
    out: NDArray | None = None,
    device: Device | None = None,
) -> NDArray:
    """Return an array of zeros, or fill `out` with zeros and return it."""
    return _filled("zeros", shape, ctx, dtype, device, out=out, stype=stype)


def ones(
    shape: Shape,
    ctx: Device | None = None,
    dtype: DType = None,
    out: NDArray | None = None,
    device: Device | None = None,
) -> NDArray:
    """Return an array of ones, or fill `out` with ones and return it."""
    return _filled("ones", shape, ctx, dtype, device, out=out)


def empty(
    shape: Shape,
    ctx: Device | None = None,
    dtype: DType = None,
    stype: str | None = None,
    device: Device | None = None,
) -> NDArray:
    """Return an uninitialized array: its values are whatever the memory held."""
    return _filled("empty", shape, ctx, dtype, device, stype=stype)


def full(
    shape: Shape,
    val: float,
    ctx: Device | None = None,
    dtype: DType = None,
    out: NDArray | None = None,
    device: Device | None = None,
) -> NDArray:
    """Return an array whose elements are all `val`, or fill `out` with `val` and return it."""
    if out is None:
        return _filled("full", shape, ctx, dtype, device, val)
    out[:] = val
    return out


def full_like(data: NDArray, fill_value: float) -> NDArray:
    """Return an array of the shape, dtype and device of `data` whose elements are all `fill_value`."""
    return NDArray(data._device.use().full_like(data._raw, fill_value), data._device)


def arange(
    start: float,
    stop: float | None = None,
    step: float = 1.0,
    repeat: int = 1,
    infer_range: bool | None = None,
    ctx: Device | None = None,
    dtype: DType = None,
    device: Device | None = None,
) -> NDArray:
    """Return start, start + step, … below `stop` as a vector, each number `repeat` times.

    If only one number is given, it is `stop`, and the range starts at 0. `infer_range` has no
    effect. Raises MXNetError if the range is empty.
    """
    where = place(ctx, device)
    first, last = (0, start) if stop is None else (start, stop)
    if step == 0 or (last - first) / step <= 0:
        raise MXNetError.checked(
            f"Check failed: Invalid range (start, stop, step) = ({first:g},{last:g},{step:g})"
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
    out: NDArray | None = None,
    device: Device | None = None,
) -> NDArray:
    """Return an N x M matrix (N x N if M is 0) with ones on the k-th diagonal and zeros elsewhere.

    With `out`, write it there and return `out`.
    """
    where = place(ctx, device) if out is None else out.device
    resolved = dtypes.resolve("float32" if dtype is None else dtype)
    made = NDArray(where.use().eye(N, M or N, k, dtype=resolved), where)
    if out is None:
        return made
    out[:] = made
    return out


def linspace(
    start: float,
    stop: float,
    num: int,
    endpoint: bool = True,
    ctx: Device | None = None,
    dtype: DType = None,
    device: Device | None = None,
) -> NDArray:
    """Return `num` evenly spaced numbers from `start` to `stop`; without `endpoint`, `stop` is left
    out.

    Raises MXNetError if `num` is negative.
    """
    if num < 0:
        raise MXNetError(f"linspace: num must not be negative, got {num}")
    where = place(ctx, device)
    resolved = dtypes.resolve("float32" if dtype is None else dtype)
    return NDArray(
        where.use().linspace(start, stop, num, endpoint=endpoint).astype(resolved), where
    )
