"""The `nd.random` namespace: draws from the stream of the parameter being filled, else from the
ambient stream.

In the stream `initlab-1`, every distribution here gives the same bits on every machine (see
`engine.streams.variates`). In another library's stream, a distribution whose bits are not reproduced
raises StreamError.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from initlab.engine import dtypes
from initlab.engine.arrays import DType
from initlab.engine.device import Device, from_host
from initlab.engine.errors import MXNetError, StreamError
from initlab.engine.nd.creation import Shape, shape_tuple
from initlab.engine.nd.ndarray import NDArray, place
from initlab.engine.nd.operator import check_array, deliver
from initlab.engine.ops import elementwise, indexing
from initlab.engine.ops import shape as shapes
from initlab.engine.streams import (
    MXNetStream,
    Stream,
    cuda,
    current,
    distribution,
    variates,
    version,
)
from initlab.lazy import suggesting


def _deliver(
    values: np.ndarray, shape: tuple[int, ...], dtype: DType, where: Device, out: NDArray | None
) -> NDArray:
    """Round values to their dtype once and return them as an array, or write them into `out`."""
    result = NDArray(from_host(values.astype(dtype, copy=False).reshape(shape), where), where)
    return deliver(result, out)


def _target(
    shape: Shape | None,
    dtype: DType,
    ctx: Device | None,
    device: Device | None,
    out: NDArray | None,
) -> tuple[tuple[int, ...], np.dtype, Device]:
    if out is not None:
        wanted, resolved, where = out.shape, dtypes.resolve(out.dtype), out.device
    else:
        default = "float32" if dtype in (None, "None") else dtype
        wanted, resolved, where = (
            shape_tuple(() if shape is None else shape) or (1,),
            dtypes.resolve(default),
            place(ctx, device),
        )
    if 0 in wanted:
        raise MXNetError.checked(f"a random array cannot have shape {wanted}: an axis is empty")
    if resolved.name not in current().dtypes:
        raise StreamError(
            f"random values of dtype {resolved.name} are not specified yet in stream {version()} - "
            "draw float32"
        )
    return wanted, resolved, where


def _check_parameters(*parameters: object) -> None:
    """Raise ValueError, in MXNet's words, for a parameter that is no array and no number."""
    for value in parameters:
        if not isinstance(value, (NDArray, int, float, np.number)):
            raise ValueError(
                f"Distribution parameters must be either NDArray or numbers, but got {type(value)}."
            )


def uniform(
    low: NDArray | float = 0.0,
    high: NDArray | float = 1.0,
    shape: Shape | None = None,
    dtype: DType = None,
    ctx: Device | None = None,
    out: NDArray | None = None,
    device: Device | None = None,
) -> NDArray:
    """Draw from U[low, high) in `shape`.

    If `low` or `high` is an array, draws `shape` values for each pair of bounds; the result has
    shape (*bounds, *shape). Raises MXNetError if high < low.
    """
    _check_parameters(low, high)
    if isinstance(low, NDArray) or isinstance(high, NDArray):
        return _each(
            uniform, (low, high), shape, out, {"dtype": dtype, "ctx": ctx, "device": device}
        )
    if high < low:
        raise MXNetError.checked(
            f"Check failed: param.high >= param.low ({high:g} vs. {low:g}) : low must be less "
            "or equal to high in uniform "
            "distribution"
        )
    wanted, resolved, where = _target(shape, dtype, ctx, device, out)
    raw = cuda.draw_next(
        where, current(), lambda wide: distribution.uniform(low, high, wide), wanted, resolved
    )
    if raw is not None:
        return deliver(NDArray(raw, where), out)
    return _deliver(
        current().uniform(low, high, math.prod(wanted), resolved.name), wanted, resolved, where, out
    )


def normal(
    loc: NDArray | float = 0.0,
    scale: NDArray | float = 1.0,
    shape: Shape | None = None,
    dtype: DType = None,
    ctx: Device | None = None,
    out: NDArray | None = None,
    device: Device | None = None,
) -> NDArray:
    """Draw from N(loc, scale^2) in `shape`.

    If `loc` or `scale` is an array, draws `shape` values for each pair; the result has shape
    (*pairs, *shape). Raises MXNetError unless scale > 0.
    """
    _check_parameters(loc, scale)
    if isinstance(loc, NDArray) or isinstance(scale, NDArray):
        return _each(
            normal, (loc, scale), shape, out, {"dtype": dtype, "ctx": ctx, "device": device}
        )
    if scale <= 0:
        raise MXNetError.checked(
            f"Check failed: param.scale > 0 ({scale:g} vs. 0) : scale parameter in gaussian "
            "has to be positive"
        )
    wanted, resolved, where = _target(shape, dtype, ctx, device, out)
    raw = cuda.draw_next(
        where, current(), lambda wide: distribution.normal(loc, scale, wide), wanted, resolved
    )
    if raw is not None:
        return deliver(NDArray(raw, where), out)
    return _deliver(
        current().normal(loc, scale, math.prod(wanted), resolved.name), wanted, resolved, where, out
    )


def randn(*shape: int, loc: float = 0.0, scale: float = 1.0, **options: Any) -> NDArray:
    """Draw from N(loc, scale^2); the positional arguments are the lengths of the axes."""
    return normal(loc, scale, shape=shape or None, **options)


def randint(
    low: int,
    high: int,
    shape: Shape | None = None,
    dtype: DType = None,
    ctx: Device | None = None,
    out: NDArray | None = None,
    device: Device | None = None,
) -> NDArray:
    """Draw whole numbers from [low, high), as int32 unless `dtype` is int64.

    Raises MXNetError for another dtype or an empty range.
    """
    resolved = dtypes.resolve(out.dtype if out is not None else dtype or "int32")
    if resolved.kind != "i":
        raise MXNetError.checked(f"randint gives whole numbers, not {resolved.name}")
    if high <= low:
        raise MXNetError.checked(
            f"Check failed: param.high > param.low ({high} vs. {low}) : low must be less than high"
        )
    wanted = out.shape if out is not None else shape_tuple(() if shape is None else shape) or (1,)
    where = out.device if out is not None else place(ctx, device)
    return _deliver(current().integers(low, high, math.prod(wanted)), wanted, resolved, where, out)


# --- more distributions


def _exact(name: str) -> Stream:
    """Return the exact stream in use.

    Raises StreamError in another library's stream, where the values of the distribution `name` would
    be different.
    """
    source = current()
    if not isinstance(source, Stream):
        raise StreamError(
            f"random values of {name} are not specified yet in stream {version()} - draw them in stream "
            "initlab-1"
        )
    return source


def _require(holds: bool, check: str, value: float, says: str) -> None:
    if not holds:
        raise MXNetError.checked(f"Check failed: {check} ({value:g} vs. 0) : {says}")


def _drawn(
    values: Callable[[int], np.ndarray],
    shape: Shape | None,
    dtype: DType,
    ctx: Device | None,
    device: Device | None,
    out: NDArray | None,
) -> NDArray:
    """Draw `values(size)` and return them in the wanted shape, dtype and device."""
    wanted, resolved, where = _target(shape, dtype, ctx, device, out)
    return _deliver(values(math.prod(wanted)), wanted, resolved, where, out)


def exponential(
    scale: NDArray | float = 1.0,
    shape: Shape | None = None,
    dtype: DType = None,
    ctx: Device | None = None,
    out: NDArray | None = None,
    device: Device | None = None,
) -> NDArray:
    """Draw from an exponential distribution with mean `scale`.

    If `scale` is an array, draws `shape` values for each mean.
    """
    _check_parameters(scale)
    if isinstance(scale, NDArray):
        return _each(
            exponential, (scale,), shape, out, {"dtype": dtype, "ctx": ctx, "device": device}
        )
    _require(
        scale > 0,
        "param.lam > 0",
        scale,
        "lambda parameter in exponential distribution has to be positive",
    )

    def values(size: int) -> np.ndarray:
        source = current()
        if isinstance(source, MXNetStream) and dtypes.resolve(dtype or "float32").name == "float32":
            return source.exponential(1.0 / scale, size)
        return variates.exponential(_exact("an exponential distribution"), scale, size)

    return _drawn(values, shape, dtype, ctx, device, out)


def gamma(
    alpha: NDArray | float = 1.0,
    beta: NDArray | float = 1.0,
    shape: Shape | None = None,
    dtype: DType = None,
    ctx: Device | None = None,
    out: NDArray | None = None,
    device: Device | None = None,
) -> NDArray:
    """Draw from a gamma distribution with shape parameter alpha and scale parameter beta.

    If a parameter is an array, draws `shape` values for each pair.
    """
    _check_parameters(alpha, beta)
    if isinstance(alpha, NDArray) or isinstance(beta, NDArray):
        return _each(
            gamma, (alpha, beta), shape, out, {"dtype": dtype, "ctx": ctx, "device": device}
        )
    _require(
        alpha > 0,
        "param.alpha > 0",
        alpha,
        "alpha parameter in gamma distribution has to be positive",
    )
    _require(
        beta > 0, "param.beta > 0", beta, "beta parameter in gamma distribution has to be positive"
    )
    stream = _exact("a gamma distribution")
    return _drawn(
        lambda size: variates.gamma(stream, alpha, beta, size), shape, dtype, ctx, device, out
    )


def poisson(
    lam: NDArray | float = 1.0,
    shape: Shape | None = None,
    dtype: DType = None,
    ctx: Device | None = None,
    out: NDArray | None = None,
    device: Device | None = None,
) -> NDArray:
    """Draw from a Poisson distribution with mean `lam`, as floats.

    If `lam` is an array, draws `shape` values for each mean.
    """
    _check_parameters(lam)
    if isinstance(lam, NDArray):
        return _each(poisson, (lam,), shape, out, {"dtype": dtype, "ctx": ctx, "device": device})
    _require(
        lam >= 0,
        "param.lam >= 0",
        lam,
        "lambda parameter in poisson distribution has to be non-negative",
    )
    stream = _exact("a Poisson distribution")
    return _drawn(lambda size: variates.poisson(stream, lam, size), shape, dtype, ctx, device, out)


def negative_binomial(
    k: NDArray | float = 1,
    p: NDArray | float = 1.0,
    shape: Shape | None = None,
    dtype: DType = None,
    ctx: Device | None = None,
    out: NDArray | None = None,
    device: Device | None = None,
) -> NDArray:
    """Draw the number of failures before the k-th success of probability p, as floats.

    If a parameter is an array, draws `shape` values for each pair. Raises MXNetError unless k >= 0
    and 0 < p <= 1.
    """
    _check_parameters(k, p)
    if isinstance(k, NDArray) or isinstance(p, NDArray):
        return _each(
            negative_binomial, (k, p), shape, out, {"dtype": dtype, "ctx": ctx, "device": device}
        )
    if k < 0 or not 0 < p <= 1:
        raise MXNetError.checked(
            f"a negative binomial distribution needs k >= 0 and 0 < p <= 1, got k={k:g} and p={p:g}"
        )
    stream = _exact("a negative binomial distribution")
    return _drawn(
        lambda size: variates.negative_binomial(stream, k, p, size), shape, dtype, ctx, device, out
    )


def generalized_negative_binomial(
    mu: NDArray | float = 1.0,
    alpha: NDArray | float = 1.0,
    shape: Shape | None = None,
    dtype: DType = None,
    ctx: Device | None = None,
    out: NDArray | None = None,
    device: Device | None = None,
) -> NDArray:
    """Draw from a negative binomial distribution with mean mu and variance mu + alpha mu^2.

    Values are floats. With alpha 0 it is the Poisson distribution. If a parameter is an array,
    draws `shape` values for each pair.
    """
    _check_parameters(mu, alpha)
    if isinstance(mu, NDArray) or isinstance(alpha, NDArray):
        return _each(
            generalized_negative_binomial,
            (mu, alpha),
            shape,
            out,
            {"dtype": dtype, "ctx": ctx, "device": device},
        )
    says = "parameter in generalized negative binomial distribution has to be non-negative"
    _require(mu >= 0, "param.mu >= 0", mu, f"mu {says}")
    _require(alpha >= 0, "param.alpha >= 0", alpha, f"alpha {says}")
    stream = _exact("a generalized negative binomial distribution")

    def values(size: int) -> np.ndarray:
        if alpha == 0 or mu == 0:
            return variates.poisson(stream, mu, size)
        return variates.negative_binomial(stream, 1 / alpha, 1 / (mu * alpha + 1), size)

    return _drawn(values, shape, dtype, ctx, device, out)


def _each(
    draw: Any,
    parameters: tuple[Any, ...],
    shape: Shape | None,
    out: NDArray | None,
    options: dict[str, Any],
) -> NDArray:
    """Draw `shape` values for each element of the (broadcast) arrays of parameters."""
    first = next(p for p in parameters if isinstance(p, NDArray))
    if options["ctx"] is None and options["device"] is None:
        options = options | {"device": first.device}
    arrays = np.broadcast_arrays(
        *(p.asnumpy() if isinstance(p, NDArray) else np.asarray(p) for p in parameters)
    )
    each = [
        draw(*(float(v) for v in values), shape=shape, **options).asnumpy()
        for values in zip(*(a.ravel() for a in arrays), strict=True)
    ]
    stacked = np.stack(each).reshape(
        *arrays[0].shape, *(each[0].shape if shape is not None else ())
    )
    where = place(options["ctx"], options["device"])
    return deliver(NDArray(from_host(stacked, where), where), out)


def multinomial(
    data: NDArray,
    shape: Shape | None = None,
    get_prob: bool = False,
    out: Any = None,
    dtype: DType = "int32",
) -> Any:
    """Draw class indices with the probabilities in the last axis of `data`, which need no
    normalization.

    Draws one index for each row, or `shape` of them. With `get_prob`, returns [indices, log of data
    at the indices]; the gradient of the logarithms flows to `data`. Raises MXNetError if a weight
    is negative or a row has no positive one.
    """
    check_array(data, "data")
    rows = data.asnumpy().reshape(-1, data.shape[-1])
    if (rows < 0).any() or not (rows.sum(axis=1) > 0).all():
        raise MXNetError.checked(
            "multinomial: every row needs weights that are not negative, and one above 0"
        )
    stream = _exact("a multinomial distribution")
    wanted = () if shape is None else shape_tuple(shape)
    drawn = np.stack([variates.categorical(stream, row, math.prod(wanted)) for row in rows])
    numbers = drawn.reshape((*data.shape[:-1], *wanted) or (1,)).astype(dtypes.resolve(dtype))
    where = data.device
    found = NDArray(from_host(numbers, where), where)
    if not get_prob:
        return deliver(found, out)
    flat = shapes.reshape(data, shape=(-1, data.shape[-1]))
    column = from_host(
        np.broadcast_to(np.arange(len(rows)).reshape(-1, 1), drawn.shape).copy(), where
    )
    picked = indexing.getitem(flat, key=(column, from_host(drawn, where)))
    return deliver([found, shapes.reshape(elementwise.log(picked), shape=found.shape)], out)


def shuffle(data: NDArray, out: NDArray | None = None) -> NDArray:
    """Return a copy whose slices along the first axis are in random order."""
    check_array(data, "data")
    order = variates.permutation(_exact("shuffle"), data.shape[0])
    raw = data._device.use().take(data._raw, from_host(order, data._device), axis=0)
    return deliver(NDArray(raw, data._device), out)


def _like(
    draw: Callable[..., NDArray], data: NDArray, parameters: dict[str, float], out: NDArray | None
) -> NDArray:
    check_array(data, "data")
    if data._raw.dtype.kind in "iub":
        raise MXNetError.checked(
            f"This operation only support floating point types, not {data._raw.dtype}"
        )
    return draw(**parameters, shape=data.shape, dtype=data._raw.dtype, device=data.device, out=out)


def uniform_like(
    data: NDArray, low: float = 0.0, high: float = 1.0, out: NDArray | None = None
) -> NDArray:
    """Draw from U[low, high) in the shape, dtype and device of `data`."""
    return _like(uniform, data, {"low": low, "high": high}, out)


def normal_like(
    data: NDArray, loc: float = 0.0, scale: float = 1.0, out: NDArray | None = None
) -> NDArray:
    """Draw from N(loc, scale^2) in the shape, dtype and device of `data`."""
    return _like(normal, data, {"loc": loc, "scale": scale}, out)


def exponential_like(data: NDArray, lam: float = 1.0, out: NDArray | None = None) -> NDArray:
    """Draw from an exponential distribution with rate `lam` in the shape, dtype and device of
    `data`.
    """
    _require(
        lam > 0,
        "param.lam > 0",
        lam,
        "lambda parameter in exponential distribution has to be positive",
    )
    return _like(exponential, data, {"scale": 1.0 / lam}, out)


def gamma_like(
    data: NDArray, alpha: float = 1.0, beta: float = 1.0, out: NDArray | None = None
) -> NDArray:
    """Draw from a gamma distribution in the shape, dtype and device of `data`."""
    return _like(gamma, data, {"alpha": alpha, "beta": beta}, out)


def poisson_like(data: NDArray, lam: float = 1.0, out: NDArray | None = None) -> NDArray:
    """Draw from a Poisson distribution in the shape, dtype and device of `data`."""
    return _like(poisson, data, {"lam": lam}, out)


def negative_binomial_like(
    data: NDArray, k: int = 1, p: float = 1.0, out: NDArray | None = None
) -> NDArray:
    """Draw from a negative binomial distribution in the shape, dtype and device of `data`."""
    return _like(negative_binomial, data, {"k": k, "p": p}, out)


def generalized_negative_binomial_like(
    data: NDArray, mu: float = 1.0, alpha: float = 1.0, out: NDArray | None = None
) -> NDArray:
    """Draw from a generalized negative binomial distribution in the shape, dtype and device of
    `data`.
    """
    return _like(generalized_negative_binomial, data, {"mu": mu, "alpha": alpha}, out)


if not TYPE_CHECKING:
    __getattr__ = suggesting(__name__)
