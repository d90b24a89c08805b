"""The operators behind dense layers, embeddings, activations and dropout."""

from __future__ import annotations

from typing import Any

import numpy as np

from initlab.engine import autograd
from initlab.engine.arrays import DType
from initlab.engine.errors import MXNetError
from initlab.engine.nd.creation import array
from initlab.engine.nd.ndarray import NDArray
from initlab.engine.nd.operator import operator
from initlab.engine.ops import activation, elementwise, indexing, linear
from initlab.engine.registry import advice
from initlab.engine.streams import cuda, current, distribution


@operator("FullyConnected")
def FullyConnected(
    data: NDArray,
    weight: NDArray,
    bias: NDArray | None = None,
    num_hidden: int = 0,
    no_bias: bool = False,
    flatten: bool = True,
) -> NDArray:
    """Return x W^T + b for data (batch, …), weight (units, in) and bias (units,).

    With `flatten`, all axes of `data` but the first are joined first; otherwise the product runs
    over the last axis. Raises MXNetError if `num_hidden` is given and is not the number of rows of
    `weight`.
    """
    if num_hidden and num_hidden != weight.shape[0]:
        raise MXNetError(
            f"FullyConnected: num_hidden is {num_hidden}, but the weight has {weight.shape[0]} rows"
        )
    given: tuple[NDArray, ...] = () if no_bias or bias is None else (bias,)
    return linear.fully_connected(data, weight, *given, flatten=flatten)


@operator("Embedding")
def Embedding(
    data: NDArray,
    weight: NDArray,
    input_dim: int = 0,
    output_dim: int = 0,
    dtype: DType = None,
    sparse_grad: bool = False,
) -> NDArray:
    """Return the rows of `weight` (input_dim, output_dim) with the indices in `data`.

    `dtype` and `sparse_grad` are accepted; the dtype is the weight's, and gradients are dense. The
    result has shape (*data.shape, output_dim). Raises MXNetError if `input_dim` or `output_dim`
    is given and differs from the weight's.
    """
    if (input_dim or weight.shape[0], output_dim or weight.shape[1]) != weight.shape:
        raise MXNetError(
            f"Embedding: {input_dim} x {output_dim} is not the shape of the weight, {weight.shape}"
        )
    return indexing.take(weight, data, axis=0)


@operator("Activation")
def Activation(data: NDArray, act_type: str) -> NDArray:
    """Apply the activation function `act_type`. Raises MXNetError if there is none of that name."""
    if act_type not in activation.ACTIVATIONS:
        raise MXNetError(f"no activation '{act_type}' - {advice(act_type, activation.ACTIVATIONS)}")
    return activation.ACTIVATIONS[act_type](data)


@operator("Dropout")
def Dropout(
    data: NDArray,
    p: float = 0.5,
    axes: tuple[int, ...] = (),
    mode: str = "training",
    cudnn_off: bool = False,
) -> NDArray:
    """Set each element to 0 with probability p, and scale the others by 1 / (1 - p).

    This happens while training, or always with mode 'always'; otherwise `data` is returned
    unchanged. The mask is drawn from the current stream; it has length 1 along `axes` and
    broadcasts there. Raises MXNetError for another mode.
    """
    if mode not in ("training", "always"):
        raise MXNetError(f"Dropout: mode must be 'training' or 'always', got '{mode}'")
    if p == 0 or (mode == "training" and not autograd.is_dropping()):
        return elementwise.identity(data)
    small = tuple(1 if a in axes else n for a, n in enumerate(data.shape))
    size = 1
    for n in small:
        size *= n
    return activation.masked(data, mask=dropout_mask(data, small, size, p))


def dropout_mask(data: NDArray, shape: tuple[int, ...], size: int, p: float) -> Any:
    """Draw a dropout mask of `shape` (`size` elements): 0 where u >= 1 - p, else 1 / (1 - p).

    Returns a raw array on the device of `data` that broadcasts to `data`.
    """
    keep = np.float32(1) - np.float32(p)
    drawn = cuda.draw_next(
        data._device,
        current(),
        lambda wide: distribution.uniform(0.0, 1.0, wide),
        shape,
        np.dtype(np.float32),
    )
    if drawn is not None:
        raw = ((drawn < float(keep)).astype("float32") * float(np.float32(1) / keep)).astype(
            data._raw.dtype
        )
    else:
        mask = current().keep(float(keep), size).astype(np.float32) * (np.float32(1) / keep)
        raw = array(mask.reshape(shape), ctx=data._device, dtype=data._raw.dtype)._raw
    return data._device.use().broadcast_to(raw, data.shape)
