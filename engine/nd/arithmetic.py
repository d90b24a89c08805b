"""Elementwise functions of two arrays, or of an array and a number, and sums of several arrays."""

from __future__ import annotations

import operator as python
from collections.abc import Callable
from typing import cast

from initlab.engine.errors import MXNetError
from initlab.engine.nd.ndarray import NDArray
from initlab.engine.nd.operator import OPERATORS, operator
from initlab.engine.ops import elementwise
from initlab.engine.tape import Primitive


def _pair(
    name: str, function: Primitive, numbers: Callable[[float, float], float]
) -> Callable[..., NDArray | float]:
    def applied(lhs: NDArray | float, rhs: NDArray | float) -> NDArray | float:
        first = lhs if isinstance(lhs, NDArray) else rhs
        if not isinstance(first, NDArray):
            try:
                return numbers(cast(float, lhs), cast(float, rhs))
            except TypeError:
                raise TypeError(
                    f"{name}: types {type(lhs)} and {type(rhs)} not supported - give arrays or numbers"
                ) from None
        operands = first._operand(lhs), first._operand(rhs)
        if any(value is NotImplemented for value in operands):
            wrong = lhs if operands[0] is NotImplemented else rhs
            raise TypeError(
                f"{name}: type {type(wrong)} not supported - give an NDArray or a number"
            )
        found: NDArray = function(*operands)
        return found

    applied.__doc__ = (
        f"{function.__doc__} Shapes broadcast. Either argument may be a number; two numbers "
        "give a number."
    )
    return operator(name)(applied)


PAIRS: dict[str, tuple[Primitive, Callable[[float, float], float]]] = {
    "add": (elementwise.add, python.add),
    "subtract": (elementwise.subtract, python.sub),
    "multiply": (elementwise.multiply, python.mul),
    "divide": (elementwise.divide, python.truediv),
    "modulo": (elementwise.modulo, python.mod),
    "power": (elementwise.power, python.pow),
    "maximum": (elementwise.maximum, lambda x, y: x if x > y else y),
    "minimum": (elementwise.minimum, lambda x, y: x if x < y else y),
    "equal": (elementwise.equal, lambda x, y: 1 if x == y else 0),
    "not_equal": (elementwise.not_equal, lambda x, y: 1 if x != y else 0),
    "greater": (elementwise.greater, lambda x, y: 1 if x > y else 0),
    "greater_equal": (elementwise.greater_equal, lambda x, y: 1 if x >= y else 0),
    "lesser": (elementwise.less, lambda x, y: 1 if x < y else 0),
    "lesser_equal": (elementwise.less_equal, lambda x, y: 1 if x <= y else 0),
    "logical_and": (elementwise.logical_and, lambda x, y: 1 if x and y else 0),
    "logical_or": (elementwise.logical_or, lambda x, y: 1 if x or y else 0),
    "logical_xor": (elementwise.logical_xor, lambda x, y: 1 if bool(x) != bool(y) else 0),
}
for _name, (_function, _numbers) in PAIRS.items():
    _pair(_name, _function, _numbers)
OPERATORS["true_divide"] = OPERATORS["divide"]
OPERATORS["less"], OPERATORS["less_equal"] = OPERATORS["lesser"], OPERATORS["lesser_equal"]


def _of_arrays(name: str, function: Primitive, *others: str) -> None:
    def applied(lhs: NDArray, rhs: NDArray, *, axis: object = None) -> NDArray:
        return function(lhs, rhs)

    applied.__doc__ = f"{function.__doc__} Shapes broadcast. `axis` has no effect, as in MXNet."
    operator(name, *others)(applied)


for _name, _function in (
    ("broadcast_add", elementwise.add),
    ("broadcast_sub", elementwise.subtract),
    ("broadcast_mul", elementwise.multiply),
    ("broadcast_div", elementwise.divide),
    ("broadcast_mod", elementwise.modulo),
    ("broadcast_power", elementwise.power),
    ("broadcast_maximum", elementwise.maximum),
    ("broadcast_minimum", elementwise.minimum),
    ("broadcast_hypot", elementwise.hypot),
    ("broadcast_equal", elementwise.equal),
    ("broadcast_not_equal", elementwise.not_equal),
    ("broadcast_greater", elementwise.greater),
    ("broadcast_greater_equal", elementwise.greater_equal),
    ("broadcast_lesser", elementwise.less),
    ("broadcast_lesser_equal", elementwise.less_equal),
    ("broadcast_logical_and", elementwise.logical_and),
    ("broadcast_logical_or", elementwise.logical_or),
    ("broadcast_logical_xor", elementwise.logical_xor),
):
    _of_arrays(
        _name,
        _function,
        *{"broadcast_add": ["broadcast_plus"], "broadcast_sub": ["broadcast_minus"]}.get(_name, []),
    )


def _same_shape(arrays: tuple[NDArray, ...]) -> None:
    for number, array in enumerate(arrays):
        if array.shape != arrays[0].shape:
            expected, got = (",".join(str(n) for n in a.shape) for a in (arrays[0], array))
            raise MXNetError.checked(
                "Check failed: assign(&dattr, vec.at(i)): Incompatible attr in node  at "
                f"{number}-th input: expected [{expected}], "
                f"got [{got}]"
            )


def _elementwise(name: str, function: Primitive) -> None:
    def applied(lhs: NDArray, rhs: NDArray) -> NDArray:
        _same_shape((lhs, rhs))
        return function(lhs, rhs)

    applied.__doc__ = f"{function.__doc__} Both arrays must have one shape."
    operator(name)(applied)


for _name, _function in (
    ("elemwise_add", elementwise.add),
    ("elemwise_sub", elementwise.subtract),
    ("elemwise_mul", elementwise.multiply),
    ("elemwise_div", elementwise.divide),
):
    _elementwise(_name, _function)


@operator("add_n", "ElementWiseSum")
def add_n(*args: NDArray) -> NDArray:
    """Return the sum of one or more arrays of the same shape, added from left to right.

    Raises MXNetError if no array is given or the shapes differ.
    """
    if not args:
        raise MXNetError.checked(
            "value 0 for Parameter num_args should be greater equal to 1, in operator add_n"
        )
    _same_shape(args)
    total = elementwise.identity(args[0]) if len(args) == 1 else args[0]
    for array in args[1:]:
        total = elementwise.add(total, array)
    return total


@operator("where")
def where(condition: NDArray, x: NDArray, y: NDArray) -> NDArray:
    """Return x where `condition` is not 0, else y.

    `condition` has the shape of x and y, or shape (x.shape[0],) to choose whole rows. Raises
    MXNetError if it has another shape.
    """
    if x.shape != y.shape or condition.shape not in (x.shape, x.shape[:1]):
        raise MXNetError.checked(
            f"Operator where inferring shapes failed: condition {condition.shape}, x "
            f"{x.shape}, y "
            f"{y.shape} - the condition must "
            "have the shape of x and y, or one axis as long as their first"
        )
    return elementwise.where(condition, x, y)


@operator("clip")
def clip(data: NDArray, a_min: float, a_max: float) -> NDArray:
    """Limit every element to [a_min, a_max]."""
    low, high = data._operand(a_min), data._operand(a_max)
    return elementwise.clip(data, a_min=low, a_max=high)
