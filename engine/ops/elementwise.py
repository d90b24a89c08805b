"""Elementwise primitives: arithmetic with broadcasting, comparisons, and functions of one argument."""

from __future__ import annotations

import math

import numpy as np

from initlab.engine.arrays import Array, DType, Library, Operand, is_array
from initlab.engine.autograd import primitive
from initlab.engine.errors import MXNetError
from initlab.engine.tape import Primitive, Result, Vjp


def check_dtypes(x: Operand, y: Operand) -> None:
    """Raise MXNetError unless both arrays have the same dtype."""
    if is_array(x) and is_array(y) and x.dtype != y.dtype:
        raise MXNetError.checked(
            "Check failed: assign(&dattr, vec.at(i)): Incompatible attr in node  at 1-th "
            f"input: expected {x.dtype}, "
            f"got {y.dtype}"
        )


def check_broadcast(x: Operand, y: Operand) -> None:
    """Raise MXNetError unless the shapes broadcast."""
    if not (is_array(x) and is_array(y)):
        return
    for a, b in zip(reversed(x.shape), reversed(y.shape), strict=False):
        if a != b and a != 1 and b != 1:
            said = (
                f"operands could not be broadcast together with shapes [{_listed(x.shape)}] "
                f"[{_listed(y.shape)}]"
            )
            raise MXNetError.checked(f"Check failed: l == 1 || r == 1: {said}")


def _listed(shape: tuple[int, ...]) -> str:
    return ",".join(str(n) for n in shape)


def unbroadcast(xp: Library, g: Array, like: Operand) -> Array | None:
    """Return the gradient of `like`, an operand that was broadcast to the shape of g.

    g is summed over the stretched axes. Returns None if `like` is a number.
    """
    if not is_array(like):
        return None
    extra = g.ndim - like.ndim
    if extra:
        g = xp.sum(g, axis=tuple(range(extra)))
    stretched = tuple(i for i, n in enumerate(like.shape) if n == 1 and g.shape[i] != 1)
    return xp.sum(g, axis=stretched, keepdims=True) if stretched else g


def _pair(x: Operand, y: Operand) -> np.dtype:
    """Check two operands; return the dtype of the result."""
    if not (is_array(x) and is_array(y)):
        array = x if is_array(x) else y
        assert is_array(array)
        return array.dtype
    if x.dtype != y.dtype:
        check_dtypes(x, y)
    if x.shape != y.shape:
        check_broadcast(x, y)
    return x.dtype


def _arrays(gradients: tuple[Array | None, Array | None]) -> tuple[Array, ...]:
    """Return the gradients of the operands that are arrays, not numbers."""
    return tuple(g for g in gradients if g is not None)


@primitive
def add(xp: Library, x: Operand, y: Operand) -> Result:
    """x + y."""
    dtype = _pair(x, y)
    return xp.add(x, y).astype(dtype, copy=False), lambda g: _arrays(
        (unbroadcast(xp, g, x), unbroadcast(xp, g, y))
    )


@primitive
def subtract(xp: Library, x: Operand, y: Operand) -> Result:
    """x - y."""
    dtype = _pair(x, y)
    return xp.subtract(x, y).astype(dtype, copy=False), lambda g: _arrays(
        (unbroadcast(xp, g, x), unbroadcast(xp, -g, y))
    )


@primitive
def multiply(xp: Library, x: Operand, y: Operand) -> Result:
    """x y."""
    dtype = _pair(x, y)
    return xp.multiply(x, y).astype(dtype, copy=False), lambda g: _arrays(
        (unbroadcast(xp, g * y, x), unbroadcast(xp, g * x, y))
    )


@primitive
def divide(xp: Library, x: Operand, y: Operand) -> Result:
    """x / y."""
    dtype = _pair(x, y)
    z = xp.divide(x, y).astype(dtype, copy=False)
    return z, lambda g: _arrays((unbroadcast(xp, g / y, x), unbroadcast(xp, -g * z / y, y)))


@primitive
def modulo(xp: Library, x: Operand, y: Operand) -> Result:
    """x mod y, with the sign of y; 0 if y is 0, as in MXNet."""
    dtype = _pair(x, y)
    if is_array(y):
        safe = xp.where(y == 0, xp.ones_like(y), y)
        z = xp.where(y == 0, xp.zeros_like(y), xp.mod(x, safe))
    else:
        safe = y or 1
        z = xp.mod(x, safe) if y else xp.zeros_like(x)
    z = z.astype(dtype, copy=False)
    y = safe
    return z, lambda g: _arrays((unbroadcast(xp, g, x), unbroadcast(xp, -g * xp.floor(x / y), y)))


@primitive
def power(xp: Library, x: Operand, y: Operand) -> Result:
    """x ** y; the gradient by y holds for positive x."""
    dtype = _pair(x, y)
    z = xp.power(x, y).astype(dtype, copy=False)

    def by_exponent(g: Array) -> Array:
        if is_array(x):
            return g * z * xp.log(xp.where(x > 0, x, xp.ones_like(x)))
        return g * z * (math.log(x) if isinstance(x, (int, float)) and x > 0 else 0.0)

    def vjp(g: Array) -> tuple[Array, ...]:
        gx = unbroadcast(xp, g * y * xp.power(x, y - 1), x) if is_array(x) else None
        gy = unbroadcast(xp, by_exponent(g), y) if is_array(y) else None
        return _arrays((gx, gy))

    return z, vjp


def _chosen(xp: Library, x: Operand, y: Operand, left: Array | bool) -> Vjp:
    """Return the vjp of a choice between x and y; `left` is true where x was chosen."""

    def vjp(g: Array) -> tuple[Array, ...]:
        zero = xp.zeros_like(g)
        return _arrays(
            (
                unbroadcast(xp, xp.where(left, g, zero), x),
                unbroadcast(xp, xp.where(left, zero, g), y),
            )
        )

    return vjp


@primitive
def maximum(xp: Library, x: Operand, y: Operand) -> Result:
    """The larger of x and y; if they are equal, x gets the gradient."""
    dtype = _pair(x, y)
    return xp.maximum(x, y).astype(dtype, copy=False), _chosen(xp, x, y, x >= y)


@primitive
def minimum(xp: Library, x: Operand, y: Operand) -> Result:
    """The smaller of x and y; if they are equal, x gets the gradient."""
    dtype = _pair(x, y)
    return xp.minimum(x, y).astype(dtype, copy=False), _chosen(xp, x, y, x <= y)


@primitive
def where(xp: Library, condition: Array, x: Operand, y: Operand) -> Result:
    """x where the condition is not 0, else y; a condition of one axis chooses whole rows."""
    _pair(x, y)
    most = max((v.ndim for v in (x, y) if is_array(v)), default=1)
    chosen = (
        condition.reshape((-1, *(1,) * (most - 1)))
        if condition.ndim == 1 and most > 1
        else condition
    ) != 0
    vjp = _chosen(xp, x, y, chosen)
    return xp.where(chosen, x, y), lambda g: (None, *vjp(g))


def _comparison(name: str, symbol: str) -> Primitive:
    def compare(xp: Library, x: Operand, y: Operand) -> Result:
        dtype = _pair(x, y)
        operands = sum(is_array(v) for v in (x, y))
        return getattr(xp, name)(x, y).astype(dtype), lambda g: (None,) * operands

    compare.__name__ = name
    compare.__doc__ = f"1 where x {symbol} y, else 0, in the dtype of x; no gradient."
    return primitive(compare)


@primitive
def hypot(xp: Library, x: Operand, y: Operand) -> Result:
    """sqrt(x^2 + y^2), without overflow; gradient 0 if both are 0."""
    dtype = _pair(x, y)
    largest = xp.maximum(xp.abs(x), xp.abs(y))
    by = xp.where(largest == 0, xp.ones_like(largest), largest)
    z = (by * xp.sqrt((x / by) * (x / by) + (y / by) * (y / by)) * (largest != 0)).astype(
        dtype, copy=False
    )
    safe = xp.where(z == 0, xp.ones_like(z), z)
    return z, lambda g: _arrays(
        (unbroadcast(xp, g * x / safe, x), unbroadcast(xp, g * y / safe, y))
    )


def _logical(name: str, says: str) -> Primitive:
    def combine(xp: Library, x: Operand, y: Operand) -> Result:
        dtype = _pair(x, y)
        operands = sum(is_array(v) for v in (x, y))
        return getattr(xp, name)(xp.not_equal(x, 0), xp.not_equal(y, 0)).astype(
            dtype
        ), lambda g: (None,) * operands

    combine.__name__ = name
    combine.__doc__ = f"1 where {says}, else 0, in the dtype of x; no gradient."
    return primitive(combine)


logical_and = _logical("logical_and", "neither is 0")
logical_or = _logical("logical_or", "one is not 0")
logical_xor = _logical("logical_xor", "exactly one is not 0")
equal = _comparison("equal", "==")
not_equal = _comparison("not_equal", "!=")
greater = _comparison("greater", ">")
greater_equal = _comparison("greater_equal", ">=")
less = _comparison("less", "<")
less_equal = _comparison("less_equal", "<=")


@primitive
def negative(xp: Library, x: Array) -> Result:
    """-x."""
    return xp.negative(x), lambda g: (-g,)


@primitive
def abs(xp: Library, x: Array) -> Result:  # noqa: A001
    """|x|; gradient 0 at 0."""
    return xp.abs(x), lambda g: (g * xp.sign(x),)


@primitive
def sign(xp: Library, x: Array) -> Result:
    """-1, 0 or 1; gradient 0."""
    return xp.sign(x), lambda g: (xp.zeros_like(g),)


@primitive
def square(xp: Library, x: Array) -> Result:
    """x^2."""
    return xp.square(x), lambda g: (2 * g * x,)


@primitive
def sqrt(xp: Library, x: Array) -> Result:
    """The square root."""
    y = xp.sqrt(x)
    return y, lambda g: (g / (2 * y),)


@primitive
def exp(xp: Library, x: Array) -> Result:
    """e^x."""
    y = xp.exp(x)
    return y, lambda g: (g * y,)


@primitive
def log(xp: Library, x: Array) -> Result:
    """The natural logarithm."""
    return xp.log(x), lambda g: (g / x,)


@primitive
def expm1(xp: Library, x: Array) -> Result:
    """e^x - 1, exact near 0."""
    y = xp.expm1(x)
    return y, lambda g: (g * (y + 1),)


@primitive
def log1p(xp: Library, x: Array) -> Result:
    """log(1 + x), exact near 0."""
    return xp.log1p(x), lambda g: (g / (1 + x),)


@primitive
def sin(xp: Library, x: Array) -> Result:
    """The sine, for networks of sines.

    Formula: sin(x)

    Source: Sitzmann et al., "Implicit neural representations with periodic activation functions",
    2020.
    """
    return xp.sin(x), lambda g: (g * xp.cos(x),)


@primitive
def cos(xp: Library, x: Array) -> Result:
    """The cosine."""
    return xp.cos(x), lambda g: (-g * xp.sin(x),)


@primitive
def floor(xp: Library, x: Array) -> Result:
    """The largest integer not above x; gradient 0."""
    return xp.floor(x), lambda g: (xp.zeros_like(g),)


@primitive
def ceil(xp: Library, x: Array) -> Result:
    """The smallest integer not below x; gradient 0."""
    return xp.ceil(x), lambda g: (xp.zeros_like(g),)


@primitive
def round(xp: Library, x: Array) -> Result:  # noqa: A001
    """The nearest integer, halves away from zero; gradient 0."""
    return xp.copysign(xp.floor(xp.abs(x) + 0.5), x).astype(x.dtype, copy=False), lambda g: (
        xp.zeros_like(g),
    )


@primitive
def clip(xp: Library, x: Array, *, a_min: float, a_max: float) -> Result:
    """x limited to [a_min, a_max]; gradient 0 outside."""
    inside = (x >= a_min) & (x <= a_max)
    return xp.clip(x, a_min, a_max).astype(x.dtype, copy=False), lambda g: (g * inside,)


@primitive
def cast(xp: Library, x: Array, *, dtype: DType) -> Result:
    """x in another dtype; always a copy."""
    return x.astype(dtype), lambda g: (g.astype(x.dtype),)


@primitive
def identity(xp: Library, x: Array) -> Result:
    """A copy of x."""
    return x.copy(), lambda g: (g,)


@primitive
def block_grad(xp: Library, x: Array) -> Result:
    """x; no gradient passes through."""
    return x.copy(), lambda g: (xp.zeros_like(g),)


@primitive
def constant(xp: Library, *xs: Array, value: Array) -> Result:
    """`value`, which does not follow the xs: their gradients are 0."""
    return value, lambda g: tuple(xp.zeros_like(x) for x in xs)
