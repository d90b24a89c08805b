"""Parts of an array: by slices (views), by arrays of indices, by one index a row."""

from __future__ import annotations

from typing import Any

from engine.autograd import primitive


def is_basic(key: Any) -> bool:
    """Whether a key is made of numbers, slices, None and Ellipsis only, and so gives a view."""
    parts = key if isinstance(key, tuple) else (key,)
    return all(part is None or part is Ellipsis or isinstance(part, (int, slice)) for part in parts)


@primitive
def getitem(xp, x, *, key):  # type: ignore[no-untyped-def]
    """x[key]; a view for a basic key. A single element has shape (1,)."""
    y = x[key]

    def vjp(g: Any) -> tuple[Any]:
        whole = xp.zeros_like(x)
        part = g.reshape(y.shape)
        if is_basic(key):
            whole[key] = part
        else:
            xp.add.at(whole, key, part)
        return (whole,)

    if y.ndim == 0:
        at = key if isinstance(key, tuple) else (key,)
        return x[(*at[:-1], slice(at[-1], at[-1] + 1 or None))] if is_basic(key) else y.reshape((1,)), vjp
    return y, vjp


@primitive
def take(xp, x, indices, *, axis=0):  # type: ignore[no-untyped-def]
    """Slices of x along an axis, by number; numbers outside are clipped, as MXNet does."""
    numbers = xp.clip(indices.astype("int64"), 0, x.shape[axis] - 1)

    def vjp(g: Any) -> tuple[Any, None]:
        whole = xp.zeros_like(x)
        xp.add.at(whole, (slice(None),) * (axis % x.ndim) + (numbers,), g)
        return whole, None

    return xp.take(x, numbers, axis=axis), vjp


@primitive
def pick(xp, x, index, *, axis=-1, keepdims=False):  # type: ignore[no-untyped-def]
    """One element a row: x[i, index[i]] for a matrix."""
    at = xp.expand_dims(xp.clip(index.astype("int64"), 0, x.shape[axis] - 1), axis)
    y = xp.take_along_axis(x, at, axis=axis)

    def vjp(g: Any) -> tuple[Any, None]:
        places = xp.arange(x.shape[axis]).reshape([-1 if a == axis % x.ndim else 1 for a in range(x.ndim)])
        return (places == at) * g.reshape(y.shape), None

    return (y if keepdims else xp.squeeze(y, axis=axis)), vjp


@primitive
def one_hot(xp, indices, *, depth, dtype="float32"):  # type: ignore[no-untyped-def]
    """A row of zeros with a one at the index; no gradient."""
    return (xp.expand_dims(indices.astype("int64"), -1) == xp.arange(depth)).astype(dtype), lambda g: (None,)
