"""`nd.random`: draws from the stream of the parameter that is being filled, else from the ambient one."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from engine import dtypes
from engine.device import Device, from_host
from engine.errors import MXNetError, StreamError
from engine.nd.creation import Shape, shape_tuple
from engine.nd.ndarray import NDArray, place
from engine.streams import current, version


def _deliver(values: np.ndarray, shape: tuple[int, ...], dtype: Any, where: Device, out: NDArray | None) -> NDArray:
    """Values as an array in their dtype, rounded once."""
    result = NDArray(from_host(values.astype(dtype, copy=False).reshape(shape), where), where)
    if out is None:
        return result
    out[:] = result
    return out


def _target(shape: Any, dtype: Any, ctx: Any, device: Any, out: NDArray | None) -> tuple[tuple[int, ...], np.dtype, Device]:
    if out is not None:
        wanted, resolved, where = out.shape, dtypes.resolve(out.dtype), out.device
    else:
        default = "float32" if dtype in (None, "None") else dtype
        wanted, resolved, where = shape_tuple(() if shape is None else shape) or (1,), dtypes.resolve(default), place(ctx, device)
    if 0 in wanted:
        raise MXNetError(f"MXNetError: a random array cannot have shape {wanted}: an axis is empty")
    if resolved.name not in current().dtypes:
        raise StreamError(f"random values of dtype {resolved.name} are not specified yet in stream {version()} - draw float32")
    return wanted, resolved, where


def _by_element(draw: Any, first: Any, second: Any, shape: Any, options: dict[str, Any]) -> NDArray:
    """One draw of `shape` for each pair of elements of two arrays of arguments."""
    a, b = np.broadcast_arrays(np.asarray(first), np.asarray(second))
    each = [draw(float(x), float(y), shape=shape, **options).asnumpy() for x, y in zip(a.ravel(), b.ravel(), strict=True)]
    stacked = np.stack(each).reshape(*a.shape, *(each[0].shape if shape is not None else ()))
    where = place(options.get("ctx"), options.get("device"))
    return NDArray(from_host(stacked, where), where)


def uniform(
    low: Any = 0.0,
    high: Any = 1.0,
    shape: Shape | None = None,
    dtype: Any = None,
    ctx: Device | None = None,
    out: NDArray | None = None,
    device: Device | None = None,
) -> NDArray:
    """U[low, high); arrays of bounds give one draw of `shape` for each pair."""
    if isinstance(low, NDArray) or isinstance(high, NDArray):
        return _by_element(uniform, low, high, shape, {"dtype": dtype, "ctx": ctx, "device": device})
    if high < low:
        raise MXNetError(
            f"MXNetError: Check failed: param.high >= param.low ({high:g} vs. {low:g}) : low must be less or equal to high in uniform "
            "distribution"
        )
    wanted, resolved, where = _target(shape, dtype, ctx, device, out)
    return _deliver(current().uniform(low, high, math.prod(wanted), resolved.name), wanted, resolved, where, out)


def normal(
    loc: Any = 0.0,
    scale: Any = 1.0,
    shape: Shape | None = None,
    dtype: Any = None,
    ctx: Device | None = None,
    out: NDArray | None = None,
    device: Device | None = None,
) -> NDArray:
    """N(loc, scale^2); arrays of arguments give one draw of `shape` for each pair."""
    if isinstance(loc, NDArray) or isinstance(scale, NDArray):
        return _by_element(normal, loc, scale, shape, {"dtype": dtype, "ctx": ctx, "device": device})
    if scale <= 0:
        raise MXNetError(f"MXNetError: Check failed: param.scale > 0 ({scale:g} vs. 0) : scale parameter in gaussian has to be positive")
    wanted, resolved, where = _target(shape, dtype, ctx, device, out)
    return _deliver(current().normal(loc, scale, math.prod(wanted), resolved.name), wanted, resolved, where, out)


def randn(*shape: int, loc: float = 0.0, scale: float = 1.0, **options: Any) -> NDArray:
    """N(loc, scale^2) with the shape given as numbers."""
    return normal(loc, scale, shape=shape or None, **options)


def randint(
    low: int,
    high: int,
    shape: Shape | None = None,
    dtype: Any = None,
    ctx: Device | None = None,
    out: NDArray | None = None,
    device: Device | None = None,
) -> NDArray:
    """Whole numbers of [low, high), int32 unless int64 is asked for."""
    resolved = dtypes.resolve(out.dtype if out is not None else dtype or "int32")
    if resolved.kind != "i":
        raise MXNetError(f"MXNetError: randint gives whole numbers, not {resolved.name}")
    if high <= low:
        raise MXNetError(f"MXNetError: Check failed: param.high > param.low ({high} vs. {low}) : low must be less than high")
    wanted = out.shape if out is not None else shape_tuple(() if shape is None else shape) or (1,)
    where = out.device if out is not None else place(ctx, device)
    return _deliver(current().integers(low, high, math.prod(wanted)), wanted, resolved, where, out)
