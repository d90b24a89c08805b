"""Elementwise functions of one array: those in the table UNARY, and below it those with options."""

from __future__ import annotations

from initlab.engine import dtypes
from initlab.engine.arrays import DType
from initlab.engine.nd.ndarray import NDArray
from initlab.engine.nd.operator import OPERATORS, operator
from initlab.engine.ops import activation, elementwise, special
from initlab.engine.tape import Primitive

UNARY: dict[str, Primitive] = {
    **{
        name: getattr(elementwise, name)
        for name in (
            "abs",
            "sign",
            "negative",
            "square",
            "sqrt",
            "exp",
            "log",
            "expm1",
            "log1p",
            "sin",
            "cos",
            "floor",
            "ceil",
            "round",
        )
    },
    **{
        name: getattr(special, name)
        for name in (
            "tan",
            "arcsin",
            "arccos",
            "arctan",
            "sinh",
            "cosh",
            "arcsinh",
            "arccosh",
            "arctanh",
            "log2",
            "log10",
            "cbrt",
            "rcbrt",
            "reciprocal",
            "rsqrt",
            "degrees",
            "radians",
            "trunc",
            "rint",
            "gamma",
            "gammaln",
            "erfinv",
            "logical_not",
        )
    },
    **{
        name: getattr(activation, name)
        for name in (
            "relu",
            "sigmoid",
            "tanh",
            "softrelu",
            "softsign",
            "erf",
            "gelu",
            "gelu_tanh",
            "silu",
            "elu",
            "selu",
            "leaky",
        )
    },
}
"""Primitives of one array that are functions of `nd` and, as in MXNet, methods."""
UNARY["fix"] = special.trunc


def _declare(name: str, function: Primitive) -> None:
    def applied(data: NDArray) -> NDArray:
        result = function(data)
        return result if result._raw.dtype == data._raw.dtype else _kept(data, function)

    applied.__doc__ = function.__doc__
    operator(name)(applied)


def _kept(data: NDArray, function: Primitive) -> NDArray:
    """Compute a function of an integer array in float64 and truncate the result, as MXNet does."""
    return elementwise.cast(
        function(elementwise.cast(data, dtype=dtypes.resolve("float64"))), dtype=data._raw.dtype
    )


for _name, _function in UNARY.items():
    _declare(_name, _function)


@operator("hard_sigmoid")
def hard_sigmoid(data: NDArray, alpha: float = 0.2, beta: float = 0.5) -> NDArray:
    """Return alpha x + beta, limited to [0, 1]."""
    return special.hard_sigmoid(data, alpha=alpha, beta=beta)


@operator("smooth_l1")
def smooth_l1(data: NDArray, scalar: float = 1.0) -> NDArray:
    """Return (s x)^2 / 2 where |x| < 1/s^2, else |x| - 1/(2 s^2), with s = `scalar` (Girshick
    2015).
    """
    return special.smooth_l1(data, scalar=scalar)


@operator("BlockGrad", "stop_gradient")
def block_grad(data: NDArray) -> NDArray:
    """Return the same values; no gradient passes through."""
    return elementwise.block_grad(data)


@operator("make_loss")
def make_loss(data: NDArray) -> NDArray:
    """Return a copy whose gradient is 1, whatever gradient arrives: the output of a network."""
    return special.make_loss(data)


@operator("identity")
def identity(data: NDArray) -> NDArray:
    """Return a copy."""
    return elementwise.identity(data)


@operator("cast", "Cast", "amp_cast")
def cast(data: NDArray, dtype: DType) -> NDArray:
    """Return a copy in another dtype."""
    return elementwise.cast(data, dtype=dtypes.resolve(dtype))


@operator("zeros_like")
def zeros_like(data: NDArray) -> NDArray:
    """Return zeros of the shape, dtype and device of `data`."""
    return NDArray(data._device.use().zeros_like(data._raw), data._device)


@operator("ones_like")
def ones_like(data: NDArray) -> NDArray:
    """Return ones of the shape, dtype and device of `data`."""
    return NDArray(data._ones(), data._device)


__all__ = ["OPERATORS", "UNARY"]
