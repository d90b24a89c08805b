"""Normalization: mean 0 and variance 1 over some axes, then scale and shift. Each is one primitive
with its gradient by formula.

centred = x - mean,  inverse = 1 / sqrt(var + epsilon),  y = gamma centred inverse + beta
dx = gamma inverse (g - mean(g) - centred inverse^2 mean(g centred))

If gamma varies over the normalized axes, it is inside the means.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from initlab.engine.arrays import Array, Library
from initlab.engine.autograd import primitive
from initlab.engine.tape import Gradients, Result


def _sum(xp: Library, x: Array, axes: tuple[int, ...]) -> Array:
    """Return the sum with the axes kept, one axis at a time from the last.

    The rounding error then grows with the length of each axis, not with their product.
    """
    for axis in reversed(axes):
        x = xp.sum(x, axis=axis, keepdims=True)
    return x


def _wide(x: Array) -> Array:
    """Convert half precision to single, since variances need the range."""
    return x.astype("float32") if str(x.dtype) == "float16" else x


def _form(x: Array, axis: int) -> tuple[int, ...]:
    return tuple(-1 if a == axis % x.ndim else 1 for a in range(x.ndim))


def _by_channel(xp: Library, x: Array, axis: int) -> tuple[Array, Callable[[Array], Array]]:
    """Return x in single precision at least as (channels, all else), and the function that turns such
    an array into the shape of x.

    All else is in the order of memory in which convolutions give their results, batch last, so that
    nothing is copied between layers, and sums run over what is contiguous.
    """
    others = tuple(a for a in range(1, x.ndim) if a != axis)
    order = (axis, *others, 0) if axis else (0, *others)
    moved = xp.transpose(_wide(x), order)
    back = tuple(order.index(a) for a in range(x.ndim))
    rows = moved.reshape((moved.shape[0], math.prod(moved.shape[1:])))
    return rows, lambda y: xp.transpose(y.reshape(moved.shape), back).astype(x.dtype, copy=False)


@primitive
def batch_norm(
    xp: Library,
    x: Array,
    gamma: Array,
    beta: Array,
    *,
    axis: int = 1,
    epsilon: float = 1e-5,
    keep: list[Array] | None = None,
) -> Result:
    """Normalize over all axes but `axis` by the batch's mean and biased variance.

    Both are appended to the list `keep`. Half precision is computed in single. Source: Ioffe and
    Szegedy 2015.
    """
    axis = axis % x.ndim
    rows, shaped = _by_channel(xp, x, axis)
    n = rows.shape[1]
    mean = xp.sum(rows, axis=1, keepdims=True) / n
    centred = rows - mean
    variance = xp.sum(centred * centred, axis=1, keepdims=True) / n
    if keep is not None:
        keep += [mean.reshape((-1,)), variance.reshape((-1,))]
    inverse = 1 / xp.sqrt(variance + epsilon)
    scale = gamma.reshape((-1, 1)) * inverse
    y = centred * scale
    y += beta.reshape((-1, 1))

    def vjp(g: Array) -> tuple[Array, Array, Array]:
        g, _ = _by_channel(xp, g, axis)
        by_beta = xp.sum(g, axis=1, keepdims=True)
        by_scale = xp.sum(g * centred, axis=1, keepdims=True)
        dx = centred * (by_scale * (inverse * inverse / -n))
        dx += g
        dx -= by_beta / n
        dx *= scale
        by_gamma = (by_scale * inverse).reshape((-1,)).astype(gamma.dtype, copy=False)
        return shaped(dx), by_gamma, by_beta.reshape((-1,)).astype(beta.dtype, copy=False)

    return shaped(y), vjp


@primitive
def fixed_norm(
    xp: Library,
    x: Array,
    gamma: Array,
    beta: Array,
    *,
    mean: Array,
    variance: Array,
    axis: int = 1,
    epsilon: float = 1e-5,
) -> Result:
    """Normalize by a given mean and variance (raw arrays, one for each channel), such as running
    statistics.

    They get no gradient.
    """
    axis, form = axis % x.ndim, _form(x, axis)
    inverse = 1 / xp.sqrt(variance.reshape(form) + epsilon)
    scale = gamma.reshape(form) * inverse
    y = _wide(x) * scale
    y += beta.reshape(form) - mean.reshape(form) * scale

    def vjp(g: Array) -> tuple[Array, Array, Array]:
        rows, shaped = _by_channel(xp, g, axis)
        centred = _by_channel(xp, x, axis)[0] - mean.reshape((-1, 1))
        by_gamma = xp.sum(rows * centred, axis=1) * inverse.reshape((-1,))
        dx = shaped(rows * scale.reshape((-1, 1)))
        return (
            dx,
            by_gamma.astype(gamma.dtype, copy=False),
            xp.sum(rows, axis=1).astype(beta.dtype, copy=False),
        )

    return y.astype(x.dtype, copy=False), vjp


def _within(
    xp: Library,
    x: Array,
    gamma: Array,
    beta: Array,
    axes: tuple[int, ...],
    form: tuple[int, ...],
    epsilon: float,
) -> Result:
    """Return (y, vjp) of normalizing over `axes`; `form` is the shape of gamma and beta against x."""
    wide = _wide(x)
    n = math.prod(x.shape[a] for a in axes)
    centred = wide - _sum(xp, wide, axes) / n
    inverse = 1 / xp.sqrt(_sum(xp, centred * centred, axes) / n + epsilon)
    normal = centred * inverse
    weight = gamma.reshape(form)
    y = (normal * weight + beta.reshape(form)).astype(x.dtype, copy=False)
    shared = tuple(a for a, k in enumerate(form) if k == 1)

    def vjp(g: Array) -> tuple[Array, Array, Array]:
        g = _wide(g)
        by_gamma = _sum(xp, g * normal, shared).reshape(gamma.shape).astype(gamma.dtype, copy=False)
        by_beta = _sum(xp, g, shared).reshape(beta.shape).astype(beta.dtype, copy=False)
        weighted = g * weight
        along = _sum(xp, weighted * normal, axes) / n
        dx = (weighted - (normal * along + _sum(xp, weighted, axes) / n)) * inverse
        return dx.astype(x.dtype, copy=False), by_gamma, by_beta

    return y, vjp


@primitive
def layer_norm(
    xp: Library, x: Array, gamma: Array, beta: Array, *, axis: int = -1, epsilon: float = 1e-5
) -> Result:
    """Normalize along `axis`, which is also that of gamma and beta (Ba, Kiros and Hinton 2016)."""
    return _within(xp, x, gamma, beta, (axis % x.ndim,), _form(x, axis), epsilon)


@primitive
def instance_norm(
    xp: Library, x: Array, gamma: Array, beta: Array, *, epsilon: float = 1e-3
) -> Result:
    """Normalize each channel (axis 1) of each sample over its positions.

    Source: Ulyanov, Vedaldi and Lempitsky 2016.
    """
    return _within(xp, x, gamma, beta, tuple(range(2, x.ndim)), _form(x, 1), epsilon)


@primitive
def group_norm(
    xp: Library, x: Array, gamma: Array, beta: Array, *, groups: int = 1, epsilon: float = 1e-5
) -> Result:
    """Normalize each group of channels (axis 1) of each sample.

    As in MXNet 1.9.1, gamma and beta have one element for each group.
    """
    grouped = x.reshape((x.shape[0], groups, x.shape[1] // groups, *x.shape[2:]))
    y, vjp = _within(
        xp, grouped, gamma, beta, tuple(range(2, grouped.ndim)), _form(grouped, 1), epsilon
    )

    def shaped(g: Array) -> Gradients:
        dx, by_gamma, by_beta = vjp(g.reshape(grouped.shape))
        return None if dx is None else dx.reshape(x.shape), by_gamma, by_beta

    return y.reshape(x.shape), shaped
