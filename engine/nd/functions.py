"""The functions of `nd`: those of NDArray's methods that Gluon code calls as functions, and the operators behind layers."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine import autograd
from engine.errors import MXNetError
from engine.nd.creation import array
from engine.nd.ndarray import AXIS_FUNCTIONS, REDUCTIONS, UNARY, NDArray
from engine.ops import activation, elementwise, indexing, linear, shape
from engine.registry import advice
from engine.streams import current


def _as_function(name: str, primitive: Any) -> Any:
    def function(data: NDArray, *args: Any, out: NDArray | None = None, **options: Any) -> NDArray:
        return deliver(getattr(data, name)(*args, **options), out)

    function.__name__, function.__doc__ = name, primitive.__doc__
    return function


def deliver(result: NDArray, out: NDArray | None) -> NDArray:
    """The result, written into `out` where one is given."""
    if out is None:
        return result
    out[:] = result
    return out


FUNCTIONS = {name: _as_function(name, primitive) for name, primitive in (UNARY | REDUCTIONS | AXIS_FUNCTIONS).items()}
FUNCTIONS["abs"] = _as_function("abs", elementwise.abs)


def _operand(value: Any, like: NDArray) -> Any:
    return like._operand(value)


def _pair(name: str, function: Any) -> Any:
    def applied(lhs: Any, rhs: Any) -> NDArray:
        first = lhs if isinstance(lhs, NDArray) else rhs
        if not isinstance(first, NDArray):
            raise TypeError(f"{name} needs at least one NDArray, got {type(lhs).__name__} and {type(rhs).__name__}")
        return function(_operand(lhs, first), _operand(rhs, first))

    applied.__name__, applied.__doc__ = name, function.__doc__
    return applied


PAIRS = {
    name: _pair(name, getattr(elementwise, name))
    for name in (
        "add", "subtract", "multiply", "divide", "modulo", "power", "maximum", "minimum", "equal", "not_equal", "greater",
        "greater_equal", "less", "less_equal",
    )
}  # fmt: skip
PAIRS |= {
    f"broadcast_{short}": PAIRS[name]
    for short, name in (
        ("add", "add"),
        ("sub", "subtract"),
        ("mul", "multiply"),
        ("div", "divide"),
        ("maximum", "maximum"),
        ("minimum", "minimum"),
    )
}


def where(condition: NDArray, x: NDArray, y: NDArray) -> NDArray:
    """x where the condition is not 0, else y."""
    return elementwise.where(condition, x, y)


def clip(data: NDArray, a_min: float, a_max: float) -> NDArray:
    """Cut to [a_min, a_max]."""
    return data.clip(a_min, a_max)


def dot(lhs: NDArray, rhs: NDArray, transpose_a: bool = False, transpose_b: bool = False) -> NDArray:
    """The matrix product."""
    return lhs.dot(rhs, transpose_a, transpose_b)


def concat(*data: NDArray, dim: int = 1) -> NDArray:
    """End to end along an axis."""
    return shape.concat(*data, dim=dim)


def concatenate(arrays: list[NDArray], axis: int = 0) -> NDArray:
    """End to end along an axis."""
    return shape.concat(*arrays, dim=axis)


def stack(*data: NDArray, axis: int = 0) -> NDArray:
    """Along a new axis."""
    return shape.stack(*data, axis=axis)


def split(data: NDArray, num_outputs: int, axis: int = 1, squeeze_axis: bool = False) -> Any:
    """Equal parts along an axis: a list, or the array itself for one part."""
    length = data.shape[axis]
    if length % num_outputs:
        raise MXNetError(f"split: axis {axis} of length {length} does not divide into {num_outputs} equal parts")
    step = length // num_outputs
    parts = [data.slice_axis(axis, i * step, (i + 1) * step) for i in range(num_outputs)]
    parts = [part.squeeze(axis) if squeeze_axis else part for part in parts]
    return parts[0] if num_outputs == 1 else parts


def reshape(data: NDArray, shape: tuple[int, ...]) -> NDArray:
    """Another shape of the same size."""
    return data.reshape(shape)


def transpose(data: NDArray, axes: tuple[int, ...] | None = None) -> NDArray:
    """The axes in another order."""
    return data.transpose(axes) if axes else data.transpose()


def flatten(data: NDArray) -> NDArray:
    """All axes but the first joined."""
    return data.flatten()


def expand_dims(data: NDArray, axis: int) -> NDArray:
    """A new axis of length 1."""
    return data.expand_dims(axis)


def squeeze(data: NDArray, axis: Any = None) -> NDArray:
    """Without axes of length 1."""
    return data.squeeze(axis)


def broadcast_to(data: NDArray, shape: tuple[int, ...]) -> NDArray:
    """Stretched along axes of length 1."""
    return data.broadcast_to(shape)


def cast(data: NDArray, dtype: Any) -> NDArray:
    """In another dtype."""
    return data.astype(dtype)


def take(a: NDArray, indices: NDArray, axis: int = 0) -> NDArray:
    """Slices by number."""
    return a.take(indices, axis)


def pick(data: NDArray, index: NDArray, axis: int = -1, keepdims: bool = False) -> NDArray:
    """One element a row."""
    return data.pick(index, axis, keepdims)


def one_hot(indices: NDArray, depth: int, dtype: str = "float32") -> NDArray:
    """A row of zeros with a one at the index."""
    return indexing.one_hot(indices, depth=depth, dtype=dtype)


def BlockGrad(data: NDArray) -> NDArray:
    """The same values, through which no gradient goes."""
    return elementwise.block_grad(data)


stop_gradient = BlockGrad


def identity(data: NDArray) -> NDArray:
    """A copy."""
    return data.copy()


def FullyConnected(
    data: NDArray, weight: NDArray, bias: NDArray | None = None, num_hidden: int = 0, no_bias: bool = False, flatten: bool = True
) -> NDArray:
    """x W^T + b. `num_hidden`, when given, must be the number of the weight's rows."""
    if num_hidden and num_hidden != weight.shape[0]:
        raise MXNetError(f"FullyConnected: num_hidden is {num_hidden}, but the weight has {weight.shape[0]} rows")
    given = () if no_bias or bias is None else (bias,)
    return linear.fully_connected(data, weight, *given, flatten=flatten)


def Embedding(data: NDArray, weight: NDArray, input_dim: int = 0, output_dim: int = 0) -> NDArray:
    """Rows of a table by number. The dimensions, when given, must be the weight's."""
    if (input_dim or weight.shape[0], output_dim or weight.shape[1]) != weight.shape:
        raise MXNetError(f"Embedding: {input_dim} x {output_dim} is not the shape of the weight, {weight.shape}")
    return weight.take(data, 0)


def Activation(data: NDArray, act_type: str) -> NDArray:
    """An activation by name."""
    if act_type not in activation.ACTIVATIONS:
        raise MXNetError(f"no activation '{act_type}' - {advice(act_type, activation.ACTIVATIONS)}")
    return activation.ACTIVATIONS[act_type](data)


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
