"""Evaluation of primitives over boxes instead of raw arrays, so that a gradient is on the tape and
can be differentiated again.

A primitive receives a `Traced` value in place of each raw array and a `TracedLibrary` in place of
the array library. Whatever the primitive or its vjp computes with these is computed by primitives
on the boxes inside. Some primitives (`reduce.total`, `shape.spread`, `indexing.part`,
`linear.matmul`) are used only here; they give NumPy's shapes, such as no axis for a sum over all
axes. Comparisons and index arithmetic have no gradient and stay raw.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, cast

import numpy as np

from initlab.engine.arrays import Array, Axes, DType, Operand, Shape, is_array
from initlab.engine.errors import MXNetError
from initlab.engine.ops import elementwise, indexing, linear, reduce, shape
from initlab.engine.tape import PRIMITIVES, Box, Primitive

TWICE = "{} cannot be differentiated twice: its gradient is not made of primitives that can"


def raw(value: object) -> object:
    """Return a traced value's raw array; any other value is returned itself."""
    return value.box._raw if isinstance(value, Traced) else value


def _raw_array(value: Array) -> Array:
    return value.box._raw if isinstance(value, Traced) else value


def _raw_key(key: object) -> object:
    return tuple(raw(k) for k in key) if isinstance(key, tuple) else raw(key)


class Traced:
    """A box that behaves like the raw array in it. A write into it replaces its box."""

    __array_ufunc__ = None
    __array_priority__ = 1000.0
    __hash__ = None  # type: ignore[assignment]

    if TYPE_CHECKING:  # defined in tables below the class

        def __add__(self, other: Operand) -> Array: ...
        def __radd__(self, other: Operand) -> Array: ...
        def __sub__(self, other: Operand) -> Array: ...
        def __rsub__(self, other: Operand) -> Array: ...
        def __mul__(self, other: Operand) -> Array: ...
        def __rmul__(self, other: Operand) -> Array: ...
        def __truediv__(self, other: Operand) -> Array: ...
        def __rtruediv__(self, other: Operand) -> Array: ...
        def __mod__(self, other: Operand) -> Array: ...
        def __pow__(self, other: Operand) -> Array: ...
        def __and__(self, other: Operand) -> Array: ...
        def __or__(self, other: Operand) -> Array: ...
        def __lt__(self, other: Operand) -> Array: ...
        def __le__(self, other: Operand) -> Array: ...
        def __gt__(self, other: Operand) -> Array: ...
        def __ge__(self, other: Operand) -> Array: ...
        def __eq__(self, other: object) -> Array: ...  # type: ignore[override]
        def __ne__(self, other: object) -> Array: ...  # type: ignore[override]
        def __invert__(self) -> Array: ...
        def __iter__(self) -> Iterator[Array]: ...

    def __init__(self, box: Box) -> None:
        self.box = box

    @property
    def shape(self) -> tuple[int, ...]:
        """The length of each axis."""
        return tuple(self.box._raw.shape)

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        return math.prod(self.shape)

    @property
    def dtype(self) -> np.dtype:
        """The dtype of the raw array."""
        return self.box._raw.dtype

    @property
    def T(self) -> Traced:
        """The axes reversed."""
        return Traced(shape.transpose(self.box, axes=None))

    def __len__(self) -> int:
        return self.shape[0]

    def astype(self, dtype: DType, copy: bool = True) -> Traced:
        """Return the values in another dtype."""
        return self if dtype == self.dtype else Traced(elementwise.cast(self.box, dtype=dtype))

    def copy(self) -> Traced:
        """Return another traced value, which does not change when this one is written into."""
        return Traced(self.box)

    def reshape(self, *new: int | Sequence[int]) -> Traced:
        """Return the same elements in another shape."""
        return Traced(shape.reshape(self.box, shape=self.box._raw.reshape(*new).shape))

    def ravel(self) -> Traced:
        """Return all elements in one axis."""
        return self.reshape(-1)

    def swapaxes(self, a: int, b: int) -> Traced:
        """Return x with two axes exchanged."""
        order = list(range(self.ndim))
        order[a], order[b] = order[b], order[a]
        return self.transpose(order)

    def transpose(self, *axes: int | Sequence[int]) -> Traced:
        """Return x with its axes in another order."""
        order = [
            a % self.ndim for part in axes for a in ([part] if isinstance(part, int) else part)
        ]
        return Traced(shape.transpose(self.box, axes=tuple(order) or None))

    def sum(self, axis: Axes = None, keepdims: bool = False, dtype: DType = None) -> Traced:
        """Return the sum over axes."""
        return Traced(reduce.total(self.box, axis=reduce.axes_of(self, axis), keepdims=keepdims))

    def __getitem__(self, key: object) -> Traced:
        return Traced(indexing.part(self.box, key=_raw_key(key)))

    def __setitem__(self, key: object, value: object) -> None:
        self.box = indexing.replace(self.box, self._like(value), key=_raw_key(key))

    def _like(self, value: object) -> Box:
        """Return a box of this one's dtype from a traced value, a raw array or a number."""
        if isinstance(value, Traced):
            return value.astype(self.dtype).box
        xp = self.box._device.use()
        return self.box._wrap(xp.asarray(value).astype(self.dtype))

    def __neg__(self) -> Traced:
        return Traced(elementwise.negative(self.box))

    def __bool__(self) -> bool:
        raise MXNetError("a traced array has no truth value")

    def __matmul__(self, other: object) -> Traced:
        return Traced(linear.matmul(self.box, self._like(other)))


def _operands(x: Operand, y: Operand) -> tuple[Box | float, Box | float]:
    """Return both operands as boxes of one dtype; Python numbers stay numbers."""
    traced = x if isinstance(x, Traced) else y
    assert isinstance(traced, Traced)
    own, xp = traced.box, traced.box._device.use()
    arrays = [_raw_array(v) for v in (x, y) if is_array(v)]
    dtype = xp.result_type(*arrays) if len(arrays) == 2 else traced.dtype

    def box(value: Operand) -> Box | float:
        if isinstance(value, Traced):
            return value.astype(dtype).box
        if isinstance(value, (int, float)) and not is_array(value):
            return value
        return own._wrap(xp.asarray(value).astype(dtype))

    return box(x), box(y)


def _arithmetic(name: str, function: Primitive) -> None:
    setattr(Traced, f"__{name}__", lambda self, other: Traced(function(*_operands(self, other))))
    setattr(Traced, f"__r{name}__", lambda self, other: Traced(function(*_operands(other, self))))


for _name, _function in (
    ("add", elementwise.add),
    ("sub", elementwise.subtract),
    ("mul", elementwise.multiply),
    ("truediv", elementwise.divide),
    ("mod", elementwise.modulo),
    ("pow", elementwise.power),
):
    _arithmetic(_name, _function)
for _name in ("eq", "ne", "lt", "le", "gt", "ge"):
    setattr(
        Traced,
        f"__{_name}__",
        lambda self, other, method=f"__{_name}__": getattr(raw(self), method)(raw(other)),
    )


UNARY = (
    "negative",
    "abs",
    "square",
    "sqrt",
    "exp",
    "log",
    "sin",
    "cos",
    "tanh",
    "expm1",
    "log1p",
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
    "reciprocal",
)
"""NumPy's functions of one argument that are primitives of the same name here."""
BINARY = {
    "add": "add",
    "subtract": "subtract",
    "multiply": "multiply",
    "divide": "divide",
    "true_divide": "divide",
    "mod": "modulo",
    "power": "power",
    "maximum": "maximum",
    "minimum": "minimum",
}
CONSTANT = {
    "sign",
    "floor",
    "ceil",
    "rint",
    "trunc",
    "equal",
    "not_equal",
    "less",
    "less_equal",
    "greater",
    "greater_equal",
    "isnan",
    "isinf",
    "isfinite",
    "argmax",
    "argmin",
    "argsort",
    "logical_and",
    "logical_or",
    "logical_not",
    "result_type",
    "searchsorted",
    "nonzero",
    "any",
    "all",
    "arange",
    "ndim",
    "shape",
    "broadcast_shapes",
    "indices",
}
"""Functions without a gradient: their results stay raw."""
FILLED = {"zeros", "ones", "full", "empty", "zeros_like", "ones_like", "full_like", "empty_like"}


class _Add:
    """`xp.add`, and `xp.add.at`."""

    def __call__(self, x: Operand, y: Operand) -> Traced:
        return Traced(elementwise.add(*_operands(x, y)))

    @staticmethod
    def at(whole: Traced, key: object, value: object) -> None:
        """Add values at places; repeated places add up."""
        added = indexing.scatter(whole._like(value), key=_raw_key(key), shape=whole.shape)
        whole.box = elementwise.add(whole.box, added)


class _Linalg:
    """`xp.linalg`, as far as gradients use it."""

    @staticmethod
    def inv(x: Traced) -> Traced:
        """Return the inverse."""
        return Traced(PRIMITIVES["inverse"](x.box))

    @staticmethod
    def solve(a: Array, b: Array) -> Traced:
        """Return the matrix x with a x = b."""
        return Traced(PRIMITIVES["solve"](*_operands(a, b)))

    @staticmethod
    def cholesky(x: Traced) -> Traced:
        """Return the lower triangular factor."""
        return Traced(PRIMITIVES["cholesky"](x.box))

    @staticmethod
    def det(x: Traced) -> Traced:
        """Return the determinant."""
        return Traced(PRIMITIVES["determinant"](x.box)).reshape(x.shape[:-2])

    @staticmethod
    def slogdet(x: Traced) -> tuple[None, Traced]:
        """Return (nothing, the logarithm of the determinant's absolute value)."""
        return None, Traced(PRIMITIVES["log_determinant"](x.box)).reshape(x.shape[:-2])

    @staticmethod
    def qr(x: Traced) -> tuple[Traced, Traced]:
        """Return (orthonormal columns, upper triangular)."""
        factors = cast(tuple[Box, Box], PRIMITIVES["lq"](x.swapaxes(-1, -2).box))
        q, low = (Traced(factor).swapaxes(-1, -2) for factor in factors)
        return q, low

    @staticmethod
    def eigh(x: Traced) -> tuple[Traced, Traced]:
        """Return (eigenvalues, columns of eigenvectors)."""
        rows, values = cast(tuple[Box, Box], PRIMITIVES["eigen"](x.box))
        return Traced(values), Traced(rows).swapaxes(-1, -2)


class TracedLibrary:
    """The functions of an array library that primitives use, for `Traced` values."""

    def __init__(self, box: Box) -> None:
        self._box = box
        self._xp = box._device.use()
        self.add = _Add()
        self.linalg = _Linalg()

    def __getattr__(self, name: str) -> Callable[..., Array]:
        if name in UNARY and name in PRIMITIVES:
            return lambda x: (
                Traced(PRIMITIVES[name](x.box))
                if isinstance(x, Traced)
                else self._function(name)(x)
            )
        if name in BINARY:
            return lambda x, y: self._binary(name, x, y)
        function = self._function(name)
        if not callable(function) or isinstance(function, type):
            return function
        if name in CONSTANT:
            return lambda *args, **options: function(*(raw(a) for a in args), **options)
        if name in FILLED:
            return lambda *args, **options: self._constant(
                function(*(raw(a) for a in args), **options)
            )
        return lambda *args, **options: self._untraced(name, function, args, options)

    def _function(self, name: str) -> Callable[..., Array]:
        """Return the library's own function of that name."""
        found: Callable[..., Array] = getattr(self._xp, name)
        return found

    def _constant(self, value: Array) -> Traced:
        return Traced(self._box._wrap(value))

    def _traced(self, value: Array) -> Traced:
        return value if isinstance(value, Traced) else self._constant(self._xp.asarray(value))

    def _binary(self, name: str, x: Array, y: Array) -> Array:
        if not (isinstance(x, Traced) or isinstance(y, Traced)):
            return self._function(name)(x, y)
        return Traced(PRIMITIVES[BINARY[name]](*_operands(x, y)))

    def _untraced(
        self,
        name: str,
        function: Callable[..., Array],
        args: tuple[object, ...],
        options: dict[str, object],
    ) -> Array:
        """Call a function that has no rule here.

        Raises MXNetError if an argument is traced, since its gradient would be lost.
        """
        flat = [
            value for arg in args for value in (arg if isinstance(arg, (list, tuple)) else (arg,))
        ]
        if any(isinstance(value, Traced) for value in [*flat, *options.values()]):
            raise MXNetError(TWICE.format(f"the function '{name}' of the array library"))
        return function(*args, **options)

    # --- functions with rules of their own

    def asarray(self, x: Array, dtype: DType = None) -> Array:
        """x itself."""
        if not isinstance(x, Traced):
            return self._xp.asarray(x, dtype)
        return x if dtype is None else x.astype(dtype)

    ascontiguousarray = asarray

    def sum(
        self, x: Array, axis: Axes = None, keepdims: bool = False, dtype: DType = None
    ) -> Array:
        """Return the sum over axes."""
        if not isinstance(x, Traced):
            return self._xp.sum(x, axis=axis, keepdims=keepdims, dtype=dtype)
        return x.sum(axis, keepdims)

    def mean(
        self, x: Array, axis: Axes = None, keepdims: bool = False, dtype: DType = None
    ) -> Array:
        """Return the mean over axes."""
        count = math.prod(x.shape[a] for a in reduce.axes_of(x, axis))
        return self.sum(x, axis, keepdims) / count

    def _extreme(self, name: str, x: Array, axis: Axes, keepdims: bool) -> Array:
        if not isinstance(x, Traced):
            return self._function(name)(x, axis=axis, keepdims=keepdims)
        kept = Traced(PRIMITIVES[name](x.box, axis=axis, keepdims=True))
        axes = reduce.axes_of(x, axis)
        return (
            kept
            if keepdims
            else kept.reshape(tuple(n for a, n in enumerate(x.shape) if a not in axes))
        )

    def max(self, x: Array, axis: Axes = None, keepdims: bool = False) -> Array:
        """Return the largest element."""
        return self._extreme("max", x, axis, keepdims)

    def min(self, x: Array, axis: Axes = None, keepdims: bool = False) -> Array:
        """Return the smallest element."""
        return self._extreme("min", x, axis, keepdims)

    def prod(
        self, x: Array, axis: Axes = None, keepdims: bool = False, dtype: DType = None
    ) -> Array:
        """Return the product over axes."""
        if not isinstance(x, Traced):
            return self._xp.prod(x, axis=axis, keepdims=keepdims, dtype=dtype)
        return self._extreme("prod", x, axis, keepdims)

    def where(self, condition: Array, x: Array, y: Array) -> Array:
        """x where the condition holds, else y."""
        if not (isinstance(x, Traced) or isinstance(y, Traced)):
            return self._xp.where(raw(condition), x, y)
        x, y = _operands(x, y)
        return Traced(elementwise.where(self._box._wrap(_raw_array(condition)), x, y))

    def clip(self, x: Array, low: float | None, high: float | None) -> Array:
        """x cut to numbers."""
        if not isinstance(x, Traced):
            return self._xp.clip(x, low, high)
        return Traced(elementwise.clip(x.box, a_min=low, a_max=high))

    def copysign(self, x: Array, y: Array) -> Array:
        """|x| with the sign of y."""
        if not isinstance(x, Traced):
            return self._xp.copysign(x, raw(y))
        r = _raw_array(x)
        return x * self._xp.where(self._xp.signbit(r) == self._xp.signbit(raw(y)), 1, -1).astype(
            r.dtype
        )

    def matmul(self, x: Array, y: Array) -> Array:
        """Products of matrices."""
        if not (isinstance(x, Traced) or isinstance(y, Traced)):
            return self._xp.matmul(x, y)
        return Traced(linear.matmul(*_operands(x, y)))

    def dot(self, x: Array, y: Array) -> Array:
        """Return the product over the last axis of x and the first of y, for vectors and matrices."""
        if x.ndim == 1 and y.ndim == 1:
            return self.sum(x * y)
        rows = x.reshape((1, -1)) if x.ndim == 1 else x
        columns = y.reshape((-1, 1)) if y.ndim == 1 else y
        return self.matmul(rows, columns).reshape((*x.shape[:-1], *y.shape[1:]))

    def outer(self, x: Array, y: Array) -> Array:
        """x_i y_j."""
        return x.reshape((-1, 1)) * y.reshape((1, -1))

    def transpose(self, x: Array, axes: Sequence[int] | None = None) -> Array:
        """Return x with its axes in another order."""
        return x.transpose(*(axes or ())) if isinstance(x, Traced) else self._xp.transpose(x, axes)

    def swapaxes(self, x: Array, a: int, b: int) -> Array:
        """Return x with two axes exchanged."""
        return x.swapaxes(a, b) if isinstance(x, Traced) else self._xp.swapaxes(x, a, b)

    def moveaxis(self, x: Array, source: int, destination: int) -> Array:
        """Return x with one axis moved to another place."""
        order = [a for a in range(x.ndim) if a != source % x.ndim]
        order.insert(destination % x.ndim, source % x.ndim)
        return self.transpose(x, order)

    def reshape(self, x: Array, new: int | Sequence[int]) -> Array:
        """Return x in another shape."""
        return x.reshape(new)

    def expand_dims(self, x: Array, axis: Axes) -> Array:
        """Return x with new axes of length 1."""
        return x.reshape(self._xp.expand_dims(raw(x), axis).shape)

    def squeeze(self, x: Array, axis: Axes = None) -> Array:
        """Return x without axes of length 1."""
        return x.reshape(self._xp.squeeze(raw(x), axis).shape)

    def broadcast_to(self, x: Array, wanted: Shape) -> Array:
        """x stretched."""
        return (
            Traced(shape.spread(x.box, shape=tuple(wanted)))
            if isinstance(x, Traced)
            else self._xp.broadcast_to(x, wanted)
        )

    def concatenate(self, parts: Sequence[Array], axis: int = 0) -> Array:
        """End to end."""
        return Traced(shape.concat(*(self._traced(p).box for p in parts), dim=axis))

    def stack(self, parts: Sequence[Array], axis: int = 0) -> Array:
        """Return the arrays joined along a new axis."""
        return Traced(shape.stack(*(self._traced(p).box for p in parts), axis=axis))

    def pad(
        self,
        x: Array,
        widths: Sequence[tuple[int, int]],
        mode: str = "constant",
        constant_values: float = 0,
    ) -> Array:
        """x with a constant around it."""
        if not isinstance(x, Traced):
            return self._xp.pad(x, widths, mode=mode, constant_values=constant_values)
        if mode != "constant":
            raise MXNetError(TWICE.format(f"padding in mode '{mode}'"))
        whole = self._constant(
            self._xp.pad(self._xp.zeros_like(raw(x)), widths, constant_values=constant_values)
        )
        whole[
            tuple(slice(before, before + n) for (before, _), n in zip(widths, x.shape, strict=True))
        ] = x
        return whole

    def flip(self, x: Array, axis: int) -> Array:
        """Return x with one axis reversed."""
        return x[(slice(None),) * (axis % x.ndim) + (slice(None, None, -1),)]

    def take(self, x: Array, numbers: Array, axis: int = 0) -> Array:
        """Return slices by index along an axis."""
        return x[(slice(None),) * (axis % x.ndim) + (raw(numbers),)]

    def take_along_axis(self, x: Array, numbers: Array, axis: int) -> Array:
        """Return one element for each index, along an axis."""
        if not isinstance(x, Traced):
            return self._xp.take_along_axis(x, raw(numbers), axis=axis)
        return Traced(indexing.take_along_axis(x.box, numbers=raw(numbers), axis=axis))

    def repeat(self, x: Array, repeats: int, axis: int) -> Array:
        """Return every element `repeats` times in a row."""
        return self.take(x, self._xp.repeat(self._xp.arange(x.shape[axis]), repeats), axis)

    def tile(self, x: Array, reps: Sequence[int]) -> Array:
        """Return x repeated along its axes."""
        numbers = self._xp.tile(self._xp.arange(x.size).reshape(x.shape), reps)
        return x.reshape((-1,))[numbers]

    def cumsum(self, x: Array, axis: int) -> Array:
        """Running sums."""
        n = x.shape[axis]
        upper = self._xp.triu(self._xp.ones((n, n), dtype=x.dtype))
        return self.moveaxis(self.matmul(self.moveaxis(x, axis, -1), upper), -1, axis)
