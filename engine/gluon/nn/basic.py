"""Dense, activation, flatten and dropout layers, and functions as layers (MXNet:
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
from initlab.engine.gluon.block import Block, Shape
from initlab.engine.gluon.flow import Chain, Function, Layer, Part, Sine
from initlab.engine.gluon.hybrid_block import Functions, HybridBlock
from initlab.engine.gluon.parameter_dict import ParameterDict
from initlab.engine.gluon.state import InitLike
from initlab.engine.nd import NDArray
from initlab.engine.ops.activation import ACTIVATIONS
from initlab.engine.ops.linear import weight_shape
from initlab.engine.registry import advice


class Activation(HybridBlock):
    """An elementwise activation function, by name.

    Gluon's names are relu, sigmoid, tanh, softrelu and softsign; gelu, gelu_tanh, silu, elu, selu
    and leaky are additions. Raises ValueError for another name.
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
        """Return the activation of x."""
        return F.Activation(x, act_type=self._act_type)

    def output_shape(self, shape: Shape) -> Shape:
        """Return the shape of the input."""
        return shape

    def data_flow(self) -> Part:
        """The function."""
        return Sine() if self._act_type == "sin" else Function()

    def __repr__(self) -> str:
        return f"Activation({self._act_type})"


class Dense(HybridBlock):
    """activation(x W^T + b), with W of shape (units, in_units).

    With `flatten`, all axes of x but the first are joined; otherwise the product runs over the last
    axis.
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

    def output_shape(self, shape: Shape) -> Shape:
        """Return (batch, units), or without `flatten` the input's shape with `units` as last axis.

        Raises MXNetError if the input does not fit the weight.
        """
        needed = weight_shape(shape, self._units, self._flatten)
        known = self.weight.shape
        if known[1] not in (0, needed[1]):
            raise MXNetError.checked(
                f"Error in operator {self.name}_fwd: Shape inconsistent, Provided = "
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

    def data_flow(self) -> Part:
        """The layer and its activation."""
        own = Layer(list(self._reg_params))
        return own if self.act is None else Chain([own, "act"])

    def __repr__(self) -> str:
        units, in_units = self.weight.shape
        return f"Dense({in_units or None} -> {units}, {self.act if self.act else 'linear'})"


class Flatten(HybridBlock):
    """Join all axes but the first: (batch, …) becomes (batch, n)."""

    def hybrid_forward(self, F: Functions, x: NDArray) -> NDArray:
        """Return x as a matrix."""
        return F.Flatten(x)

    def output_shape(self, shape: Shape) -> Shape:
        """Return (batch, n), n being the product of the other axes."""
        return shape[0], math.prod(shape[1:])

    def data_flow(self) -> Part:
        """Nothing: values stay as they are."""
        return Chain()

    def __repr__(self) -> str:
        return "Flatten"


class Dropout(HybridBlock):
    """While training, set a fraction `rate` of the elements to 0 and scale the others by 1 / (1 -
    rate).

    The mask has length 1 along `axes` and broadcasts there. Raises ValueError if `rate` is outside
    [0, 1).
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

    def output_shape(self, shape: Shape) -> Shape:
        """Return the shape of the input."""
        return shape

    def data_flow(self) -> Part:
        """Nothing: at initialization values stay as they are on average."""
        return Chain()

    def __repr__(self) -> str:
        return f"Dropout(p = {self._rate}, axes={self._axes})"


def _function(function: str | Callable[..., NDArray]) -> tuple[Callable[..., NDArray], str]:
    """Return a function and its name, given the function or the name of one in `nd`.

    Raises AssertionError for an unknown name and ValueError for anything else.
    """
    if isinstance(function, str):
        if not hasattr(nd, function):
            raise AssertionError(f"Function name {function} is not found in ndarray.")
        return getattr(nd, function), function
    if callable(function):
        return function, function.__name__
    raise ValueError(f"Unrecognized function in lambda: {function} of type {type(function)}")


class Lambda(Block):
    """A block that applies a function of arrays, given as a function or as a name in `nd`."""

    def __init__(self, function: str | Callable[..., NDArray], prefix: str | None = None) -> None:
        super().__init__(prefix)
        self._func_impl, self._func_name = _function(function)

    def forward(self, *args: Any) -> Any:
        """Apply the function to the inputs."""
        return self._func_impl(*args)

    def __repr__(self) -> str:
        return f"Lambda({self._func_name})"


class HybridLambda(HybridBlock):
    """A hybrid block that applies a function of (F, arrays), or the function of `nd` of that name."""

    def __init__(self, function: str | Callable[..., NDArray], prefix: str | None = None) -> None:
        super().__init__(prefix)
        self._func, self._func_name = _function(function)
        self._named = isinstance(function, str)

    def hybrid_forward(self, F: Functions, x: NDArray, *args: NDArray) -> NDArray:
        """Apply the function to the inputs."""
        return self._func(x, *args) if self._named else self._func(F, x, *args)

    def __repr__(self) -> str:
        return f"HybridLambda({self._func_name})"
