"""The steps of optimizers as functions of arrays: `sgd_update(weight, grad, lr, out=weight)`.

The new weight is returned, or written into `out`; states, such as `mom`, are changed in place. In
the formulas g is clip(rescale_grad * grad), cut to [-clip_gradient, clip_gradient] unless
`clip_gradient` is negative. A function `mp_…` keeps the weight in float32 as `weight32`. Source:
MXNet 1.9.1 src/operator/optimizer_op-inl.h, src/operator/contrib/adamw-inl.h.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from initlab.engine.errors import MXNetError
from initlab.engine.nd.arithmetic import clip
from initlab.engine.nd.ndarray import NDArray
from initlab.engine.nd.operator import check_array, operator

CONTRIB: dict[str, Callable[..., Any]] = {}
"""The functions of `nd.contrib` that are defined here, by name."""


def _cut(g: NDArray, bound: float | None) -> NDArray:
    return g if bound is None or bound < 0 else clip(g, -bound, bound)


def _float32(x: NDArray) -> NDArray:
    return x.astype("float32")


@operator("sgd_update")
def sgd_update(
    weight: NDArray,
    grad: NDArray,
    lr: float,
    wd: float = 0.0,
    rescale_grad: float = 1.0,
    clip_gradient: float = -1.0,
    lazy_update: bool = True,
) -> NDArray:
    """w - lr (g + wd w)."""
    return weight - lr * (_cut(rescale_grad * grad, clip_gradient) + wd * weight)


@operator("mp_sgd_update")
def mp_sgd_update(
    weight: NDArray,
    grad: NDArray,
    weight32: NDArray,
    lr: float,
    wd: float = 0.0,
    rescale_grad: float = 1.0,
    clip_gradient: float = -1.0,
    lazy_update: bool = True,
) -> NDArray:
    """`sgd_update` of `weight32`."""
    weight32[:] = sgd_update(weight32, _float32(grad), lr, wd, rescale_grad, clip_gradient)
    return weight32.astype(weight.dtype)


@operator("sgd_mom_update")
def sgd_mom_update(
    weight: NDArray,
    grad: NDArray,
    mom: NDArray,
    lr: float,
    momentum: float = 0.0,
    wd: float = 0.0,
    rescale_grad: float = 1.0,
    clip_gradient: float = -1.0,
    lazy_update: bool = True,
) -> NDArray:
    """m = momentum m - lr (g + wd w), w + m."""
    mom[:] = momentum * mom - lr * (_cut(rescale_grad * grad, clip_gradient) + wd * weight)
    return weight + mom


@operator("mp_sgd_mom_update")
def mp_sgd_mom_update(
    weight: NDArray,
    grad: NDArray,
    mom: NDArray,
    weight32: NDArray,
    lr: float,
    momentum: float = 0.0,
    wd: float = 0.0,
    rescale_grad: float = 1.0,
    clip_gradient: float = -1.0,
    lazy_update: bool = True,
) -> NDArray:
    """`sgd_mom_update` of `weight32`."""
    weight32[:] = sgd_mom_update(
        weight32, _float32(grad), mom, lr, momentum, wd, rescale_grad, clip_gradient
    )
    return weight32.astype(weight.dtype)


@operator("nag_mom_update")
def nag_mom_update(
    weight: NDArray,
    grad: NDArray,
    mom: NDArray,
    lr: float,
    momentum: float = 0.0,
    wd: float = 0.0,
    rescale_grad: float = 1.0,
    clip_gradient: float = -1.0,
) -> NDArray:
    """m = momentum m - lr (g + wd w), w + momentum m - lr (g + wd w)."""
    step = lr * (_cut(rescale_grad * grad, clip_gradient) + wd * weight)
    mom[:] = momentum * mom - step
    return weight + momentum * mom - step


@operator("signsgd_update")
def signsgd_update(
    weight: NDArray,
    grad: NDArray,
    lr: float,
    wd: float = 0.0,
    rescale_grad: float = 1.0,
    clip_gradient: float = -1.0,
) -> NDArray:
    """(1 - lr wd) w - lr sign(g)."""
    return (1 - lr * wd) * weight - lr * _cut(rescale_grad * grad, clip_gradient).sign()


@operator("signum_update")
def signum_update(
    weight: NDArray,
    grad: NDArray,
    mom: NDArray,
    lr: float,
    momentum: float = 0.0,
    wd: float = 0.0,
    rescale_grad: float = 1.0,
    clip_gradient: float = -1.0,
    wd_lh: float = 0.0,
) -> NDArray:
    """m = momentum m - (1 - momentum) (g + wd w), (1 - lr wd_lh) w + lr sign(m)."""
    g = _cut(rescale_grad * grad, clip_gradient) + wd * weight
    mom[:] = momentum * mom - (1 - momentum) * g
    return (1 - lr * wd_lh) * weight + lr * mom.sign()


@operator("adam_update")
def adam_update(
    weight: NDArray,
    grad: NDArray,
    mean: NDArray,
    var: NDArray,
    lr: float,
    beta1: float = 0.9,
    beta2: float = 0.999,
    epsilon: float = 1e-8,
    wd: float = 0.0,
    rescale_grad: float = 1.0,
    clip_gradient: float = -1.0,
    lazy_update: bool = True,
) -> NDArray:
    """Return w - lr m / (sqrt(v) + epsilon), with m and v of clip(rescale_grad grad + wd w). The
    caller corrects lr for the number of the step.
    """
    g = _cut(rescale_grad * grad + wd * weight, clip_gradient)
    return weight - lr * _moments(g, mean, var, beta1, beta2, epsilon)


def _moments(
    g: NDArray, mean: NDArray, var: NDArray, beta1: float, beta2: float, epsilon: float
) -> NDArray:
    """Update both moments; return m / (sqrt(v) + epsilon)."""
    mean[:] = beta1 * mean + (1 - beta1) * g
    var[:] = beta2 * var + (1 - beta2) * g * g
    return mean / (var.sqrt() + epsilon)


@operator("rmsprop_update")
def rmsprop_update(
    weight: NDArray,
    grad: NDArray,
    n: NDArray,
    lr: float,
    gamma1: float = 0.95,
    epsilon: float = 1e-8,
    wd: float = 0.0,
    rescale_grad: float = 1.0,
    clip_gradient: float = -1.0,
    clip_weights: float = -1.0,
) -> NDArray:
    """n = gamma1 n + (1 - gamma1) g^2, w - lr g / sqrt(n + epsilon), with g of grad and wd w."""
    g = _cut(rescale_grad * grad + wd * weight, clip_gradient)
    n[:] = gamma1 * n + (1 - gamma1) * g * g
    return _cut(weight - lr * g / (n + epsilon).sqrt(), clip_weights)


@operator("ftrl_update")
def ftrl_update(
    weight: NDArray,
    grad: NDArray,
    z: NDArray,
    n: NDArray,
    lr: float,
    lamda1: float = 0.01,
    beta: float = 1.0,
    wd: float = 0.0,
    rescale_grad: float = 1.0,
    clip_gradient: float = -1.0,
) -> NDArray:
    """z += g - (sqrt(n + g^2) - sqrt(n)) w / lr, n += g^2, and the weight that z gives (McMahan et
    al. 2013).
    """
    g = _cut(rescale_grad * grad, clip_gradient)
    after = n + g * g
    z[:] = z + g - (after.sqrt() - n.sqrt()) * weight / lr
    n[:] = after
    far = (z.abs() > lamda1).astype(weight.dtype)
    return (z.sign() * lamda1 - z) / ((beta + n.sqrt()) / lr + wd) * far


@operator("adamw_update", among=CONTRIB)
def adamw_update(
    weight: NDArray,
    grad: NDArray,
    mean: NDArray,
    var: NDArray,
    rescale_grad: NDArray | float,
    lr: float,
    eta: float,
    beta1: float = 0.9,
    beta2: float = 0.999,
    epsilon: float = 1e-8,
    wd: float = 0.0,
    clip_gradient: float = -1.0,
) -> NDArray:
    """w - eta (lr m / (sqrt(v) + epsilon) + wd w).

    `rescale_grad` may be an array of one element. Nothing changes if it is 0 or not finite.
    """
    scale = float(rescale_grad.asscalar() if isinstance(rescale_grad, NDArray) else rescale_grad)
    if scale == 0 or scale - scale != 0:
        return weight.copy()
    g = _cut(scale * grad, clip_gradient)
    return weight - eta * (lr * _moments(g, mean, var, beta1, beta2, epsilon) + wd * weight)


@operator("mp_adamw_update", among=CONTRIB)
def mp_adamw_update(
    weight: NDArray,
    grad: NDArray,
    mean: NDArray,
    var: NDArray,
    weight32: NDArray,
    rescale_grad: NDArray | float,
    lr: float,
    eta: float,
    **options: float,
) -> NDArray:
    """`adamw_update` of `weight32`, with the same options."""
    weight32[:] = adamw_update(
        weight32, _float32(grad), mean, var, rescale_grad, lr, eta, **options
    )
    return weight32.astype(weight.dtype)


@operator("multi_adamw_update", among=CONTRIB)
def multi_adamw_update(
    weights: Sequence[NDArray],
    grads: Sequence[NDArray],
    mean: Sequence[NDArray],
    var: Sequence[NDArray],
    rescale_grad: NDArray | float,
    lrs: Sequence[float],
    wds: Sequence[float],
    etas: Sequence[float],
    size: int = 0,
    **options: float,
) -> list[NDArray]:
    """`adamw_update` of each weight; of the first `size` ones if that is given."""
    rows = list(zip(weights, grads, mean, var, lrs, wds, etas, strict=False))
    return [
        adamw_update(w, g, m, v, rescale_grad, lr, eta, wd=wd, **options)
        for w, g, m, v, lr, wd, eta in rows[: size or None]
    ]


@operator("multi_mp_adamw_update", among=CONTRIB)
def multi_mp_adamw_update(
    weights: Sequence[NDArray],
    grads: Sequence[NDArray],
    mean: Sequence[NDArray],
    var: Sequence[NDArray],
    weights32: Sequence[NDArray],
    rescale_grad: NDArray | float,
    lrs: Sequence[float],
    wds: Sequence[float],
    etas: Sequence[float],
    size: int = 0,
    **options: float,
) -> list[NDArray]:
    """`mp_adamw_update` of each weight; of the first `size` ones if that is given."""
    rows = list(zip(weights, grads, mean, var, weights32, lrs, wds, etas, strict=False))
    return [
        mp_adamw_update(w, g, m, v, w32, rescale_grad, lr, eta, wd=wd, **options)
        for w, g, m, v, w32, lr, wd, eta in rows[: size or None]
    ]


@operator("multi_sum_sq")
def multi_sum_sq(*data: NDArray, num_arrays: int) -> NDArray:
    """Return the sum of squares of each array, in float32."""
    check_count("multi_sum_sq", data, num_arrays)
    sums = [_float32(x).square().sum().reshape((1,)) for x in data]
    return joined(sums)


@operator("all_finite")
def all_finite(data: NDArray, init_output: bool = True) -> NDArray:
    """Return 1 if every element is finite, else 0, of shape (1,)."""
    return finite_of([data])


@operator("multi_all_finite")
def multi_all_finite(*data: NDArray, num_arrays: int = 1, init_output: bool = True) -> NDArray:
    """Return 1 if every element of all arrays is finite, else 0, of shape (1,)."""
    check_count("multi_all_finite", data, num_arrays)
    return finite_of(data)


@operator("amp_multicast")
def amp_multicast(*data: NDArray, num_outputs: int, cast_narrow: bool = False) -> list[NDArray]:
    """Return the arrays in one dtype: the widest of theirs, with `cast_narrow` the narrowest."""
    check_count("amp_multicast", data, num_outputs)
    choose = min if cast_narrow else max
    dtype = choose((x._raw.dtype for x in data), key=lambda dtype: dtype.itemsize)
    return [x.astype(dtype) for x in data]


def check_count(name: str, data: Sequence[NDArray], count: int) -> None:
    """Raise MXNetError unless as many arrays are given as announced."""
    for array in data:
        check_array(array, "data")
    if len(data) != count:
        raise MXNetError.checked(f"{name}: {len(data)} arrays are given, {count} are announced")


def joined(arrays: Sequence[NDArray]) -> NDArray:
    """Return arrays of one axis, one after the other."""
    xp = arrays[0]._device.use()
    return NDArray(xp.concatenate([a._raw for a in arrays], axis=0), arrays[0]._device)


def finite_of(data: Sequence[NDArray]) -> NDArray:
    """Return 1 if every element is finite, else 0, of shape (1,)."""
    xp = data[0]._device.use()
    good = all(bool(xp.all(xp.isfinite(x._raw))) for x in data)
    return NDArray(xp.full((1,), float(good), dtype="float32"), data[0]._device)
