"""The operators behind layers."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine import autograd
from engine.errors import MXNetError
from engine.nd.creation import array
from engine.nd.ndarray import NDArray
from engine.nd.operator import operator
from engine.ops import activation, convolution, elementwise, indexing, linear
from engine.registry import advice
from engine.streams import current


@operator("FullyConnected")
def FullyConnected(
    data: NDArray, weight: NDArray, bias: NDArray | None = None, num_hidden: int = 0, no_bias: bool = False, flatten: bool = True
) -> NDArray:
    """x W^T + b. `num_hidden`, when given, must be the number of the weight's rows."""
    if num_hidden and num_hidden != weight.shape[0]:
        raise MXNetError(f"FullyConnected: num_hidden is {num_hidden}, but the weight has {weight.shape[0]} rows")
    given = () if no_bias or bias is None else (bias,)
    return linear.fully_connected(data, weight, *given, flatten=flatten)


@operator("Convolution")
def Convolution(
    data: NDArray,
    weight: NDArray,
    bias: NDArray | None = None,
    *,
    kernel: tuple[int, ...],
    stride: tuple[int, ...] = (),
    pad: tuple[int, ...] = (),
    dilate: tuple[int, ...] = (),
    num_filter: int = 0,
    num_group: int = 1,
    no_bias: bool = False,
) -> NDArray:
    """Cross-correlation over all axes but the first two. `kernel` and `num_filter`, when given, must be the weight's."""
    if tuple(kernel) != weight.shape[2:] or (num_filter and num_filter != weight.shape[0]):
        raise MXNetError(f"Convolution: kernel {tuple(kernel)} and {num_filter} filters are not those of a weight of shape {weight.shape}")
    ones, zeros = (1,) * len(kernel), (0,) * len(kernel)
    given = () if no_bias or bias is None else (bias,)
    return convolution.convolution(data, weight, *given, stride=stride or ones, pad=pad or zeros, dilate=dilate or ones, groups=num_group)


@operator("Pooling")
def Pooling(
    data: NDArray,
    kernel: tuple[int, ...] = (),
    pool_type: str = "max",
    global_pool: bool = False,
    stride: tuple[int, ...] = (),
    pad: tuple[int, ...] = (),
    pooling_convention: str = "valid",
    count_include_pad: bool = True,
) -> NDArray:
    """Maxima or means of windows over all axes but the first two; `full` lets the last window reach beyond the padding."""
    if pool_type not in ("max", "avg"):
        raise MXNetError(f"Pooling: no pool_type '{pool_type}' - {advice(pool_type, ('max', 'avg'))}")
    if pooling_convention not in ("valid", "full"):
        raise MXNetError(f"Pooling: no pooling_convention '{pooling_convention}' - {advice(pooling_convention, ('valid', 'full'))}")
    window = tuple(data.shape[2:]) if global_pool else tuple(kernel)
    options = {
        "kernel": window,
        "stride": stride or (1,) * len(window),
        "pad": pad or (0,) * len(window),
        "ceil": pooling_convention == "full",
    }
    if pool_type == "max":
        return convolution.max_pool(data, **options)
    return convolution.avg_pool(data, **options, count_include_pad=count_include_pad)


@operator("Embedding")
def Embedding(data: NDArray, weight: NDArray, input_dim: int = 0, output_dim: int = 0) -> NDArray:
    """Rows of a table by number. The dimensions, when given, must be the weight's."""
    if (input_dim or weight.shape[0], output_dim or weight.shape[1]) != weight.shape:
        raise MXNetError(f"Embedding: {input_dim} x {output_dim} is not the shape of the weight, {weight.shape}")
    return indexing.take(weight, data, axis=0)


@operator("Activation")
def Activation(data: NDArray, act_type: str) -> NDArray:
    """An activation by name."""
    if act_type not in activation.ACTIVATIONS:
        raise MXNetError(f"no activation '{act_type}' - {advice(act_type, activation.ACTIVATIONS)}")
    return activation.ACTIVATIONS[act_type](data)


@operator("Dropout")
def Dropout(data: NDArray, p: float = 0.5, axes: tuple[int, ...] = (), mode: str = "training") -> NDArray:
    """While training (or always, with mode 'always'), each element is 0 with probability p, else scaled by 1 / (1 - p).

    The mask is drawn from the current stream, once along `axes` and repeated there.
    """
    if mode not in ("training", "always"):
        raise MXNetError(f"Dropout: mode must be 'training' or 'always', got '{mode}'")
    if p == 0 or (mode == "training" and not autograd.is_training()):
        return elementwise.identity(data)
    small = tuple(1 if a in axes else n for a, n in enumerate(data.shape))
    size = 1
    for n in small:
        size *= n
    return activation.masked(data, mask=dropout_mask(data, small, size, p))


def dropout_mask(data: NDArray, shape: tuple[int, ...], size: int, p: float) -> Any:
    """0 where u >= 1 - p, else 1 / (1 - p), as a raw array on the data's device that broadcasts to it."""
    keep = np.float32(1) - np.float32(p)
    mask = current().keep(float(keep), size).astype(np.float32) * (np.float32(1) / keep)
    raw = array(mask.reshape(shape), ctx=data._device, dtype=data._raw.dtype)._raw
    return data._device.xp.broadcast_to(raw, data.shape)
