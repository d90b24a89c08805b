"""The operators behind Gluon's layers, by MXNet's names: convolution, pooling, normalization, leaky
rectifiers.

Options that choose between equal implementations (`workspace`, `cudnn_tune`, `cudnn_off`) are
accepted; there is one implementation here. A `layout` may put the channels last (NWC, NHWC, NDHWC);
the weight's input channels then come last too.
"""

from __future__ import annotations

from typing import Any

from initlab.engine import autograd
from initlab.engine.errors import MXNetError
from initlab.engine.nd.ndarray import NDArray
from initlab.engine.nd.operator import operator
from initlab.engine.ops import activation, convolution, normalization, pooling
from initlab.engine.registry import advice

FIRST = {1: "NCW", 2: "NCHW", 3: "NCDHW"}
"""Layouts with channels first, by the number of spatial axes: the default."""
LAST = {1: "NWC", 2: "NHWC", 3: "NDHWC"}
"""Layouts with channels last."""
POOL_TYPES = ("max", "avg", "sum", "lp")
LEAKY = ("leaky", "prelu", "elu", "selu", "gelu")


def _channels_last(operator: str, layout: str | None, axes: int) -> bool:
    """Return whether `layout` has its channels last; the default layout has them first."""
    if layout is None or layout == FIRST.get(axes):
        return False
    if layout == LAST.get(axes):
        return True
    known = [names[axes] for names in (FIRST, LAST) if axes in names]
    raise MXNetError(
        f"{operator}: no layout '{layout}' for {axes} spatial axes - {advice(str(layout), known)}"
    )


def _to_first(data: NDArray) -> NDArray:
    """Move the last axis to position 1: (batch, *space, channels) to (batch, channels, *space)."""
    return data.transpose((0, data.ndim - 1, *range(1, data.ndim - 1)))


def _to_last(data: NDArray) -> NDArray:
    return data.transpose((0, *range(2, data.ndim), 1))


def _sizes(operator: str, option: str, value: Any, axes: int, default: int) -> tuple[int, ...]:
    sizes = tuple(value) or (default,) * axes
    if len(sizes) != axes:
        raise MXNetError(
            f"{operator}: {option} {sizes} has {len(sizes)} numbers for {axes} spatial axes"
        )
    return sizes


def _check_axes(operator: str, data: NDArray, kernel: tuple[int, ...]) -> None:
    if data.ndim != len(kernel) + 2:
        raise MXNetError(
            f"{operator}: kernel {kernel} needs data of {len(kernel) + 2} axes, got {data.shape}"
        )


def _check_weight(
    operator: str, weight: NDArray, kernel: tuple[int, ...], axis: int, filters: int
) -> None:
    if tuple(kernel) != weight.shape[2:] or (filters and filters != weight.shape[axis]):
        raise MXNetError(
            f"{operator}: kernel {tuple(kernel)} and {filters} filters are not those of a weight of shape "
            f"{weight.shape}"
        )


@operator("Convolution")
def Convolution(
    data: NDArray,
    weight: NDArray,
    bias: NDArray | None = None,
    *,
    kernel: tuple[int, ...],
    stride: tuple[int, ...] = (),
    dilate: tuple[int, ...] = (),
    pad: tuple[int, ...] = (),
    num_filter: int = 0,
    num_group: int = 1,
    workspace: int = 1024,
    no_bias: bool = False,
    cudnn_tune: str | None = None,
    cudnn_off: bool = False,
    layout: str | None = None,
) -> NDArray:
    """Cross-correlate data (batch, in, *space) with weight (out, in / num_group, *kernel).

    `bias` has shape (out,). Returns (batch, out, *new space). Raises MXNetError if the kernel, the
    weight or the options do not fit the data.
    """
    axes = len(kernel)
    last = _channels_last("Convolution", layout, axes)
    if last:
        data, weight = _to_first(data), _to_first(weight)
    _check_axes("Convolution", data, tuple(kernel))
    _check_weight("Convolution", weight, kernel, 0, num_filter)
    y = convolution.convolution(
        data,
        weight,
        *(() if no_bias or bias is None else (bias,)),
        stride=_sizes("Convolution", "stride", stride, axes, 1),
        pad=_sizes("Convolution", "pad", pad, axes, 0),
        dilate=_sizes("Convolution", "dilate", dilate, axes, 1),
        groups=num_group,
        constant_input=data._node is None,
    )
    return _to_last(y) if last else y


@operator("Deconvolution")
def Deconvolution(
    data: NDArray,
    weight: NDArray,
    bias: NDArray | None = None,
    *,
    kernel: tuple[int, ...],
    stride: tuple[int, ...] = (),
    dilate: tuple[int, ...] = (),
    pad: tuple[int, ...] = (),
    adj: tuple[int, ...] = (),
    target_shape: tuple[int, ...] = (),
    num_filter: int = 0,
    num_group: int = 1,
    workspace: int = 512,
    no_bias: bool = True,
    cudnn_tune: str | None = None,
    cudnn_off: bool = False,
    layout: str | None = None,
) -> NDArray:
    """Apply the transpose of a convolution to data (batch, in, *space).

    `weight` has shape (in, out / num_group, *kernel), `bias` (out,). `target_shape` is the spatial
    shape of the result; if it is given, `pad` and `adj` are computed from it. Raises MXNetError if
    the kernel, the weight or the options do not fit the data.
    """
    axes = len(kernel)
    last = _channels_last("Deconvolution", layout, axes)
    if last:
        data, weight = _to_first(data), _to_first(weight)
    _check_axes("Deconvolution", data, tuple(kernel))
    _check_weight("Deconvolution", weight, kernel, 1, num_filter // num_group)
    strides = _sizes("Deconvolution", "stride", stride, axes, 1)
    dilates = _sizes("Deconvolution", "dilate", dilate, axes, 1)
    pads = _sizes("Deconvolution", "pad", pad, axes, 0)
    adjust = _sizes("Deconvolution", "adj", adj, axes, 0)
    if target_shape:
        full = convolution.transposed_space(
            tuple(data.shape[2:]), tuple(kernel), strides, (0,) * axes, dilates, (0,) * axes
        )
        surplus = [
            n - t
            for n, t in zip(
                full, _sizes("Deconvolution", "target_shape", target_shape, axes, 0), strict=True
            )
        ]
        if min(surplus) < 0:
            raise MXNetError(
                f"Deconvolution: target_shape {tuple(target_shape)} exceeds {full}, what the kernel "
                "reaches without padding"
            )
        pads, adjust = tuple((n + 1) // 2 for n in surplus), tuple(n % 2 for n in surplus)
    y = convolution.deconvolution(
        data,
        weight,
        *(() if no_bias or bias is None else (bias,)),
        stride=strides,
        pad=pads,
        dilate=dilates,
        adjust=adjust,
        groups=num_group,
    )
    return _to_last(y) if last else y


@operator("Pooling")
def Pooling(
    data: NDArray,
    kernel: tuple[int, ...] = (),
    pool_type: str = "max",
    global_pool: bool = False,
    cudnn_off: bool = False,
    pooling_convention: str = "valid",
    stride: tuple[int, ...] = (),
    pad: tuple[int, ...] = (),
    p_value: int = 2,
    count_include_pad: bool = True,
    layout: str | None = None,
) -> NDArray:
    """Return the maximum, mean, sum or p-norm of each window over the spatial axes of `data`.

    With `global_pool` the window is the whole space. With the `full` convention the last window may
    extend beyond the padding. Raises MXNetError for an unknown `pool_type` or `pooling_convention`.
    """
    if pool_type not in POOL_TYPES:
        raise MXNetError(f"Pooling: no pool_type '{pool_type}' - {advice(pool_type, POOL_TYPES)}")
    if pooling_convention not in ("valid", "full"):
        raise MXNetError(
            f"Pooling: no pooling_convention '{pooling_convention}' - "
            f"{advice(pooling_convention, ('valid', 'full'))}"
        )
    last = _channels_last("Pooling", layout, data.ndim - 2)
    if last:
        data = _to_first(data)
    window = tuple(data.shape[2:]) if global_pool else tuple(kernel)
    _check_axes("Pooling", data, window)
    options: dict[str, Any] = {
        "kernel": window,
        "stride": (1,) * len(window)
        if global_pool
        else _sizes("Pooling", "stride", stride, len(window), 1),
        "pad": (0,) * len(window) if global_pool else _sizes("Pooling", "pad", pad, len(window), 0),
        "ceil": pooling_convention == "full" and not global_pool,
    }
    if pool_type == "max":
        y = pooling.max_pool(data, **options)
    elif pool_type == "lp":
        y = pooling.avg_pool(data.abs() ** p_value, **options, divide=False) ** (1 / p_value)
    else:
        y = pooling.avg_pool(
            data, **options, count_include_pad=count_include_pad, divide=pool_type == "avg"
        )
    return _to_last(y) if last else y


def _check_extent(
    operator: str, name: str, parameter: NDArray, data: NDArray, axis: int, extent: int
) -> None:
    """Raise MXNetError unless `parameter` has shape (extent,), as `axis` of the data requires."""
    if parameter.shape != (extent,):
        raise MXNetError.checked(
            f"{operator}: Shape inconsistent, Provided = {list(parameter.shape)}, inferred "
            f"shape=[{extent}]: {name} of shape "
            f"{parameter.shape} for axis {axis} of data of shape {data.shape}"
        )


def _axis(operator: str, data: NDArray, axis: int) -> int:
    if not -data.ndim <= axis < data.ndim:
        raise MXNetError(f"{operator}: data of shape {data.shape} has no axis {axis}")
    return axis % data.ndim


@operator("BatchNorm")
def BatchNorm(
    data: NDArray,
    gamma: NDArray,
    beta: NDArray,
    moving_mean: NDArray,
    moving_var: NDArray,
    eps: float = 1e-3,
    momentum: float = 0.9,
    fix_gamma: bool = True,
    use_global_stats: bool = False,
    axis: int = 1,
    cudnn_off: bool = False,
) -> NDArray:
    """Return gamma (x - mean) / sqrt(var + eps) + beta, normalized over all axes but `axis`.

    With `fix_gamma`, gamma is treated as ones. While training, and without `use_global_stats`, mean
    and biased variance are those of the batch, and `moving_mean` and `moving_var` are updated in
    place to momentum * moving + (1 - momentum) * batch. Otherwise the moving values are used.
    """
    where = _axis("BatchNorm", data, axis)
    for name, parameter in (
        ("gamma", gamma),
        ("beta", beta),
        ("moving_mean", moving_mean),
        ("moving_var", moving_var),
    ):
        _check_extent("BatchNorm", name, parameter, data, where, data.shape[where])
    if fix_gamma:
        gamma = gamma._wrap(data._device.use().ones_like(gamma._raw))
    if not autograd.is_training() or use_global_stats:
        return normalization.fixed_norm(
            data,
            gamma,
            beta,
            mean=moving_mean._raw.copy(),
            variance=moving_var._raw.copy(),
            axis=where,
            epsilon=eps,
        )
    keep: list[Any] = []
    y = normalization.batch_norm(data, gamma, beta, axis=where, epsilon=eps, keep=keep)
    with autograd.pause():
        for moving, new in zip((moving_mean, moving_var), keep, strict=True):
            new = new.astype(moving.dtype, copy=False)
            moving[:] = moving._wrap(momentum * moving._raw + (1 - momentum) * new)
    return y


@operator("LayerNorm")
def LayerNorm(
    data: NDArray, gamma: NDArray, beta: NDArray, axis: int = -1, eps: float = 1e-5
) -> NDArray:
    """Return gamma (x - mean) / sqrt(var + eps) + beta, normalized along `axis`."""
    where = _axis("LayerNorm", data, axis)
    for name, parameter in (("gamma", gamma), ("beta", beta)):
        _check_extent("LayerNorm", name, parameter, data, where, data.shape[where])
    return normalization.layer_norm(data, gamma, beta, axis=where, epsilon=eps)


@operator("InstanceNorm")
def InstanceNorm(data: NDArray, gamma: NDArray, beta: NDArray, eps: float = 1e-3) -> NDArray:
    """Return gamma (x - mean) / sqrt(var + eps) + beta, normalized over the spatial axes.

    Mean and variance are computed for each sample and channel (axis 1). Raises MXNetError if the
    data has fewer than 3 axes.
    """
    if data.ndim < 3:
        raise MXNetError(
            "InstanceNorm: data needs a batch axis, a channel axis and at least one more, got shape "
            f"{data.shape}"
        )
    for name, parameter in (("gamma", gamma), ("beta", beta)):
        _check_extent("InstanceNorm", name, parameter, data, 1, data.shape[1])
    return normalization.instance_norm(data, gamma, beta, epsilon=eps)


@operator("GroupNorm")
def GroupNorm(
    data: NDArray, gamma: NDArray, beta: NDArray, num_groups: int = 1, eps: float = 1e-5
) -> NDArray:
    """Return gamma (x - mean) / sqrt(var + eps) + beta, normalized over each group of channels.

    Channels are axis 1; gamma and beta have shape (num_groups,). Raises MXNetError if the number of
    groups does not divide the number of channels.
    """
    if data.ndim < 2 or num_groups < 1 or data.shape[1] % num_groups:
        raise MXNetError.checked(
            "GroupNorm: # of channels must be divisible by # of groups: axis 1 of data "
            f"{data.shape}, {num_groups} groups"
        )
    for name, parameter in (("gamma", gamma), ("beta", beta)):
        _check_extent("GroupNorm", name, parameter, data, 1, num_groups)
    return normalization.group_norm(data, gamma, beta, groups=num_groups, epsilon=eps)


@operator("LeakyReLU")
def LeakyReLU(
    data: NDArray, gamma: NDArray | None = None, act_type: str = "leaky", slope: float = 0.25
) -> NDArray:
    """Return x where x > 0; below 0 the function is the one that `act_type` names.

    Below 0: `leaky` is slope x, `prelu` is gamma x, `elu` is slope (e^x - 1). `selu` and `gelu` are
    whole functions and use no slope. `gamma` has shape (1,) or one element for each channel (axis
    1). Raises MXNetError for another `act_type` or a `gamma` that is missing or does not fit.
    """
    if act_type not in LEAKY:
        raise MXNetError(f"LeakyReLU: no act_type '{act_type}' - {advice(act_type, LEAKY)}")
    if act_type == "prelu":
        if gamma is None:
            raise MXNetError("LeakyReLU: act_type 'prelu' needs gamma, its slopes below 0")
        channels = data.shape[1] if data.ndim > 1 else data.shape[0]
        if gamma.shape not in ((1,), (channels,)):
            raise MXNetError.checked(
                f"LeakyReLU: gamma of shape {gamma.shape} for {channels} channels (axis 1 of "
                f"data of shape {data.shape})"
            )
        return activation.prelu(data, gamma)
    if act_type == "leaky":
        return activation.leaky(data, slope=slope)
    if act_type == "elu":
        return activation.elu(data, alpha=slope)
    return activation.ACTIVATIONS[act_type](data)
