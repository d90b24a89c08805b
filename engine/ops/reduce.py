"""Reductions over axes. A reduction over all axes returns shape (1,), as MXNet's arrays have at
least one axis.
"""

from __future__ import annotations

import math

from initlab.engine.arrays import Array, Axes, Library, Shape
from initlab.engine.autograd import primitive
from initlab.engine.errors import MXNetError
from initlab.engine.tape import Primitive, Result


def axes_of(x: Array, axis: Axes, exclude: bool = False) -> tuple[int, ...]:
    """Return the axes that `axis` (None, a number, or several) names, in order; the others with
    `exclude`.

    Raises MXNetError if x does not have an axis or it is named twice.
    """
    if axis is None or axis == () or axis == []:
        return tuple(range(x.ndim))
    numbers = (axis,) if isinstance(axis, int) else tuple(axis)
    listed = ",".join(str(n) for n in x.shape)
    for a in numbers:
        if not -x.ndim <= a < x.ndim:
            raise MXNetError.checked(
                f"Check failed: Reduction axis {a} Exceeds input dimensions [{listed}]"
            )
    chosen = {a % x.ndim for a in numbers}
    if len(chosen) < len(numbers):
        raise MXNetError.checked(
            f"Check failed: Reduction axes have duplicates [{','.join(str(a) for a in numbers)}]"
        )
    return tuple(a for a in range(x.ndim) if (a in chosen) != exclude)


def _shaped(reduced: Array, keepdims: bool) -> Array:
    return reduced.reshape((1,)) if reduced.ndim == 0 and not keepdims else reduced


def _spread(g: Array, x: Array, axes: tuple[int, ...]) -> Array:
    """Return a reduction's gradient with the reduced axes restored at length 1."""
    return g.reshape(tuple(1 if a in axes else n for a, n in enumerate(x.shape)))


@primitive
def sum(
    xp: Library, x: Array, *, axis: Axes = None, keepdims: bool = False, exclude: bool = False
) -> Result:  # noqa: A001
    """The sum."""
    axes = axes_of(x, axis, exclude)
    y = xp.sum(x, axis=axes, keepdims=keepdims, dtype=x.dtype)
    return _shaped(y, keepdims), lambda g: (_spread(g, x, axes) * xp.ones_like(x),)


@primitive
def mean(
    xp: Library, x: Array, *, axis: Axes = None, keepdims: bool = False, exclude: bool = False
) -> Result:
    """The mean."""
    axes = axes_of(x, axis, exclude)
    count = 1
    for a in axes:
        count *= x.shape[a]
    y = (xp.sum(x, axis=axes, keepdims=keepdims, dtype=x.dtype) / count).astype(x.dtype, copy=False)
    return _shaped(y, keepdims), lambda g: (_spread(g, x, axes) * xp.full_like(x, 1 / count),)


def _extreme(name: str, word: str) -> Primitive:
    def extreme(
        xp: Library, x: Array, *, axis: Axes = None, keepdims: bool = False, exclude: bool = False
    ) -> Result:
        axes = axes_of(x, axis, exclude)
        kept = getattr(xp, name)(x, axis=axes, keepdims=True)
        at = (x == kept).astype(x.dtype)
        y = (
            kept
            if keepdims
            else _shaped(
                kept.reshape(tuple(n for a, n in enumerate(x.shape) if a not in axes)), False
            )
        )
        return y, lambda g: (_spread(g, x, axes) * at,)

    extreme.__name__ = name
    extreme.__doc__ = f"The {word} value; every element that equals it gets the gradient."
    return primitive(extreme)


max = _extreme("max", "largest")  # noqa: A001
min = _extreme("min", "smallest")  # noqa: A001


def _before(xp: Library, x: Array) -> Array:
    """Return the product of all earlier elements along the last axis, in doubling steps.

    Source: Hillis and Steele 1986.
    """
    one = xp.ones((*x.shape[:-1], 1), dtype=x.dtype)
    product = xp.concatenate([one, x[..., :-1]], axis=-1)
    step = 1
    while step < x.shape[-1]:
        ones = xp.ones((*x.shape[:-1], step), dtype=x.dtype)
        product = product * xp.concatenate([ones, product[..., :-step]], axis=-1)
        step *= 2
    return product


def _others(xp: Library, x: Array, axes: tuple[int, ...]) -> Array:
    """Return for each element the product over axes of all others, without dividing."""
    order = (*(a for a in range(x.ndim) if a not in axes), *axes)
    turned = xp.transpose(x, order)
    rows = turned.reshape(
        (*turned.shape[: x.ndim - len(axes)], math.prod(x.shape[a] for a in axes))
    )
    product = _before(xp, rows) * _before(xp, rows[..., ::-1])[..., ::-1]
    return xp.transpose(product.reshape(turned.shape), tuple(order.index(a) for a in range(x.ndim)))


@primitive
def prod(
    xp: Library, x: Array, *, axis: Axes = None, keepdims: bool = False, exclude: bool = False
) -> Result:
    """The product; the gradient is also right if factors are 0."""
    axes = axes_of(x, axis, exclude)
    y = xp.prod(x, axis=axes, keepdims=keepdims, dtype=x.dtype)
    return _shaped(y, keepdims), lambda g: (_spread(g, x, axes) * _others(xp, x, axes),)


@primitive
def norm(
    xp: Library, x: Array, *, ord: int = 2, axis: Axes = None, keepdims: bool = False
) -> Result:  # noqa: A002
    """The Euclidean norm, or with `ord=1` the sum of absolute values; gradient 0 if the norm is 0."""
    axes = axes_of(x, axis)
    if ord == 1:
        y = xp.sum(xp.abs(x), axis=axes, keepdims=keepdims, dtype=x.dtype)
        return _shaped(y, keepdims), lambda g: (_spread(g, x, axes) * xp.sign(x),)
    y = xp.sqrt(xp.sum(x * x, axis=axes, keepdims=keepdims, dtype=x.dtype)).astype(
        x.dtype, copy=False
    )
    safe = xp.where(y == 0, xp.ones_like(y), y)
    return _shaped(y, keepdims), lambda g: (x * _spread(g, x, axes) / _spread(safe, x, axes),)


@primitive
def cumsum(xp: Library, x: Array, *, axis: int) -> Result:
    """Running sums along an axis."""
    back = (slice(None),) * (axis % x.ndim) + (slice(None, None, -1),)
    return xp.cumsum(x, axis=axis).astype(x.dtype, copy=False), lambda g: (
        xp.cumsum(g[back], axis=axis)[back],
    )


def _position(name: str, word: str) -> Primitive:
    def position(xp: Library, x: Array, *, axis: Axes = None, keepdims: bool = False) -> Result:
        y = getattr(xp, name)(
            x.reshape((-1,)) if axis is None else x,
            axis=0 if axis is None else axis,
            keepdims=keepdims,
        )
        y = y.reshape((1,) * x.ndim) if axis is None and keepdims else y
        return _shaped(y.astype(x.dtype), keepdims), lambda g: (None,)

    position.__name__ = name
    position.__doc__ = (
        f"The index of the {word} value, in the dtype of x, as in MXNet; no gradient."
    )
    return primitive(position)


argmax = _position("argmax", "largest")
argmin = _position("argmin", "smallest")


@primitive
def total(xp: Library, x: Array, *, axis: Shape, keepdims: bool) -> Result:
    """The sum over a tuple of axes like NumPy: it has no axes if all are reduced."""
    kept = tuple(1 if a in axis else n for a, n in enumerate(x.shape))
    return xp.sum(x, axis=axis, keepdims=keepdims, dtype=x.dtype), lambda g: (
        xp.broadcast_to(g.reshape(kept), x.shape),
    )
