"""Reductions over axes. Over all axes they give shape (1,), since MXNet's arrays have at least one axis."""

from __future__ import annotations

from typing import Any

from engine.autograd import primitive


def axes_of(x: Any, axis: Any, exclude: bool = False) -> tuple[int, ...]:
    """The axes that `axis` (None, a number, or several) stands for, in order; the others with `exclude`."""
    if axis is None or axis == ():
        chosen = set(range(x.ndim))
    else:
        numbers = (axis,) if isinstance(axis, int) else tuple(axis)
        chosen = {a % x.ndim for a in numbers}
    return tuple(a for a in range(x.ndim) if (a in chosen) != exclude)


def _shaped(reduced: Any, keepdims: bool) -> Any:
    return reduced.reshape((1,)) if reduced.ndim == 0 and not keepdims else reduced


def _spread(g: Any, x: Any, axes: tuple[int, ...]) -> Any:
    """A reduction's gradient with the reduced axes back at length 1."""
    return g.reshape(tuple(1 if a in axes else n for a, n in enumerate(x.shape)))


@primitive
def sum(xp, x, *, axis=None, keepdims=False, exclude=False):  # type: ignore[no-untyped-def]  # noqa: A001
    """The sum."""
    axes = axes_of(x, axis, exclude)
    y = xp.sum(x, axis=axes, keepdims=keepdims, dtype=x.dtype)
    return _shaped(y, keepdims), lambda g: (_spread(g, x, axes) * xp.ones_like(x),)


@primitive
def mean(xp, x, *, axis=None, keepdims=False, exclude=False):  # type: ignore[no-untyped-def]
    """The mean."""
    axes = axes_of(x, axis, exclude)
    count = 1
    for a in axes:
        count *= x.shape[a]
    y = (xp.sum(x, axis=axes, keepdims=keepdims, dtype=x.dtype) / count).astype(x.dtype, copy=False)
    return _shaped(y, keepdims), lambda g: (_spread(g, x, axes) * xp.full_like(x, 1 / count),)


def _extreme(name: str, word: str) -> Any:
    def extreme(xp, x, *, axis=None, keepdims=False, exclude=False):  # type: ignore[no-untyped-def]
        axes = axes_of(x, axis, exclude)
        kept = getattr(xp, name)(x, axis=axes, keepdims=True)
        at = (x == kept).astype(x.dtype)
        y = kept if keepdims else _shaped(kept.reshape(tuple(n for a, n in enumerate(x.shape) if a not in axes)), False)
        return y, lambda g: (_spread(g, x, axes) * at,)

    extreme.__name__ = name
    extreme.__doc__ = f"The {word} value; every element that equals it gets the gradient."
    return primitive(extreme)


max = _extreme("max", "largest")  # noqa: A001
min = _extreme("min", "smallest")  # noqa: A001


@primitive
def norm(xp, x, *, axis=None, keepdims=False):  # type: ignore[no-untyped-def]
    """The Euclidean norm."""
    axes = axes_of(x, axis)
    y = xp.sqrt(xp.sum(x * x, axis=axes, keepdims=keepdims, dtype=x.dtype))
    safe = xp.where(y == 0, xp.ones_like(y), y)
    return _shaped(y, keepdims), lambda g: (x * _spread(g, x, axes) / _spread(safe, x, axes),)


def _position(name: str, word: str) -> Any:
    def position(xp, x, *, axis=None, keepdims=False):  # type: ignore[no-untyped-def]
        y = getattr(xp, name)(x.reshape((-1,)) if axis is None else x, axis=0 if axis is None else axis, keepdims=keepdims)
        return _shaped(y.astype("float32"), keepdims), lambda g: (None,)

    position.__name__ = name
    position.__doc__ = f"The place of the {word} value, as float32 like MXNet's; no gradient."
    return primitive(position)


argmax = _position("argmax", "largest")
argmin = _position("argmin", "smallest")
