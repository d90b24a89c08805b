"""Layers: fully connected, activation, flatten, dropout, and functions as layers (MXNet:
gluon/nn/basic_layers.py).
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

from initlab.engine import nd
from initlab.engine.arrays import DType
from initlab.engine.errors import MXNetError
from initlab.engine.gluon.block import Block, Functions, HybridBlock, Shape
from initlab.engine.gluon.parameter_dict import ParameterDict
from initlab.engine.gluon.state import InitLike
from initlab.engine.nd import NDArray
from initlab.engine.ops.activation import ACTIVATIONS
from initlab.engine.ops.linear import weight_shape
from initlab.engine.registry import advice


class Activation(HybridBlock):
    """An element-wise nonlinearity by name: relu, sigmoid, tanh, softrelu, softsign (Gluon's),
    gelu, gelu_tanh, silu, elu, selu, leaky.
    """

    def __init__(
        self, activation: str, prefix: str | None = None, params: ParameterDict | None = None
    ) -> None:
        if activation not in ACTIVATIONS:
            raise ValueError(
                f"no activation '{activation}' - {advice(str(activation), ACTIVATIONS)}"
            )
        self._act_type = activation
        super().__init__(prefix, params)

    def _alias(self) -> str:
        return self._act_type

    def hybrid_forward(self, F: Functions, x: NDArray) -> NDArray:
        """The activation of x."""
        return F.Activation(x, act_type=self._act_type)

    def infer_shape(self, shape: Shape) -> Shape:
        """The input's."""
        return shape

    def __repr__(self) -> str:
        return f"Activation({self._act_type})"


class Dense(HybridBlock):
    """activation(x W^T + b), W of shape (units, in_units). With `flatten` all axes of x but the
    first are joined.
    """

    def __init__(
        self,
        units: int,
        activation: str | None = None,
        use_bias: bool = True,
        flatten: bool = True,
        dtype: DType = "float32",
        weight_initializer: InitLike = None,
        bias_initializer: InitLike = "zeros",
        in_units: int = 0,
        prefix: str | None = None,
        params: ParameterDict | None = None,
    ) -> None:
        try:
            units = operator.index(units)
        except TypeError:
            raise TypeError(f"Dense: units must be a whole number, got {units!r}") from None
        super().__init__(prefix, params)
        self._flatten = flatten
        with self.name_scope():
            self._units = units
            self._in_units = in_units
            self.weight = self.params.get(
                "weight",
                shape=(units, in_units),
                init=weight_initializer,
                dtype=dtype,
                allow_deferred_init=True,
                roles=("out", "in"),
            )
            bias = {
                "shape": (units,),
                "init": bias_initializer,
                "dtype": dtype,
                "allow_deferred_init": True,
                "roles": ("out",),
            }
            self.bias = self.params.get("bias", **bias) if use_bias else None
            self.act = (
                Activation(activation, prefix=activation + "_") if activation is not None else None
            )

    def infer_shape(self, shape: Shape) -> Shape:
        """(batch, units), or the last axis replaced without `flatten`."""
        needed = weight_shape(shape, self._units, self._flatten)
        known = self.weight.shape
        if known[1] not in (0, needed[1]):
            raise MXNetError(
                f"MXNetError: Error in operator {self.name}_fwd: Shape inconsistent, Provided = "
                f"[{known[0]},{known[1]}], "
                f"inferred shape=({needed[0]},{needed[1]})"
            )
        self.weight.shape = needed
        return (shape[0], self._units) if self._flatten else (*shape[:-1], self._units)

    def hybrid_forward(
        self, F: Functions, x: NDArray, weight: NDArray, bias: NDArray | None = None
    ) -> NDArray:
        """activation(x W^T + b)."""
        y = F.FullyConnected(
            x, weight, bias, no_bias=bias is None, num_hidden=self._units, flatten=self._flatten
        )
        return y if self.act is None else self.act(y)

    def __repr__(self) -> str:
        units, in_units = self.weight.shape
        return f"Dense({in_units or None} -> {units}, {self.act if self.act else 'linear'})"


class Flatten(HybridBlock):
    """All axes but the first joined."""

    def hybrid_forward(self, F: Functions, x: NDArray) -> NDArray:
        """x as a matrix."""
        return F.Flatten(x)

    def infer_shape(self, shape: Shape) -> Shape:
        """(batch, the rest)."""
        return shape[0], math.prod(shape[1:])

    def __repr__(self) -> str:
        return "Flatten"


class Dropout(HybridBlock):
    """While training, zeroes a fraction `rate` of the elements and scales the others by 1 / (1 -
    rate); one mask along `axes`.
    """

    def __init__(
        self,
        rate: float,
        axes: tuple[int, ...] = (),
        prefix: str | None = None,
        params: ParameterDict | None = None,
    ) -> None:
        super().__init__(prefix, params)
        if not 0 <= rate < 1:
            raise ValueError(f"Dropout: rate must lie in [0, 1), got {rate!r}")
        self._rate = rate
        self._axes = axes

    def hybrid_forward(self, F: Functions, x: NDArray) -> NDArray:
        """x with elements dropped."""
        return F.Dropout(x, p=self._rate, axes=self._axes)

    def infer_shape(self, shape: Shape) -> Shape:
        """The input's."""
        return shape

    def __repr__(self) -> str:
        return f"Dropout(p = {self._rate}, axes={self._axes})"


def _function(function: str | Callable[..., NDArray]) -> tuple[Callable[..., NDArray], str]:
    """(function, its name), for a function or the name of one in `nd`."""
    if isinstance(function, str):
        if not hasattr(nd, function):
            raise AssertionError(f"Function name {function} is not found in ndarray.")
        return getattr(nd, function), function
    if callable(function):
        return function, function.__name__
    raise ValueError(f"Unrecognized function in lambda: {function} of type {type(function)}")


class Lambda(Block):
    """A function of arrays, or the name of one in `nd`, as a block."""

    def __init__(self, function: str | Callable[..., NDArray], prefix: str | None = None) -> None:
        super().__init__(prefix)
        self._func_impl, self._func_name = _function(function)

    def forward(self, *args: Any) -> Any:
        """The function of the inputs."""
        return self._func_impl(*args)

    def __repr__(self) -> str:
        return f"Lambda({self._func_name})"


class HybridLambda(HybridBlock):
    """A function of (F, arrays), or the name of one in `nd`, as a hybrid block."""

    def __init__(self, function: str | Callable[..., NDArray], prefix: str | None = None) -> None:
        super().__init__(prefix)
        self._func, self._func_name = _function(function)
        self._named = isinstance(function, str)

    def hybrid_forward(self, F: Functions, x: NDArray, *args: NDArray) -> NDArray:
        """The function of the inputs."""
        return self._func(x, *args) if self._named else self._func(F, x, *args)

    def __repr__(self) -> str:
        return f"HybridLambda({self._func_name})"
