"""Primitives run over boxes instead of raw arrays, so that a gradient is on the tape and can be
differentiated again.

A `Traced` value stands where a primitive expects a raw array, a `TracedLibrary` where it expects
the array library. Whatever the primitive, or its vjp, computes with them is done by primitives on
the boxes inside; some of these (`reduce.total`, `shape.spread`, `indexing.part`, `linear.matmul`)
are there for it alone and follow NumPy to the letter: a sum over all axes has no axis. Comparisons
and index arithmetic carry no gradient and stay raw.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from initlab.engine.autograd import PRIMITIVES
from initlab.engine.errors import MXNetError
from initlab.engine.ops import elementwise, indexing, linear, reduce, shape

TWICE = "{} cannot be differentiated twice: its gradient is not made of primitives that can"


def raw(value: Any) -> Any:
    """A traced value's raw array; any other value itself."""
    return value.box._raw if isinstance(value, Traced) else value


def _raw_key(key: Any) -> Any:
    return tuple(raw(k) for k in key) if isinstance(key, tuple) else raw(key)


class Traced:
    """A box that behaves like the raw array in it. Writing into it puts another box in its place."""

    __array_ufunc__ = None
    __array_priority__ = 1000.0
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, box: Any) -> None:
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
    def dtype(self) -> Any:
        """The raw array's."""
        return self.box._raw.dtype

    @property
    def T(self) -> Traced:
        """The axes reversed."""
        return Traced(shape.transpose(self.box, axes=None))

    def __len__(self) -> int:
        return self.shape[0]

    def astype(self, dtype: Any, copy: bool = True) -> Traced:
        """In another dtype."""
        return self if dtype == self.dtype else Traced(elementwise.cast(self.box, dtype=dtype))

    def copy(self) -> Traced:
        """Another stand-in, so that writing into one leaves the other."""
        return Traced(self.box)

    def reshape(self, *new: Any) -> Traced:
        """The same elements in another shape."""
        wanted = new[0] if len(new) == 1 else new
        return Traced(shape.reshape(self.box, shape=self.box._raw.reshape(wanted).shape))

    def ravel(self) -> Traced:
        """All elements in one axis."""
        return self.reshape(-1)

    def swapaxes(self, a: int, b: int) -> Traced:
        """Two axes exchanged."""
        order = list(range(self.ndim))
        order[a], order[b] = order[b], order[a]
        return self.transpose(order)

    def transpose(self, *axes: Any) -> Traced:
        """The axes in another order."""
        order = axes[0] if len(axes) == 1 and not isinstance(axes[0], int) else axes
        return Traced(
            shape.transpose(self.box, axes=tuple(a % self.ndim for a in order) if order else None)
        )

    def sum(self, axis: Any = None, keepdims: bool = False, dtype: Any = None) -> Traced:
        """The sum over axes."""
        return Traced(reduce.total(self.box, axis=reduce.axes_of(self, axis), keepdims=keepdims))

    def __getitem__(self, key: Any) -> Traced:
        return Traced(indexing.part(self.box, key=_raw_key(key)))

    def __setitem__(self, key: Any, value: Any) -> None:
        self.box = indexing.replace(self.box, self._like(value), key=_raw_key(key))

    def _like(self, value: Any) -> Any:
        """A box of this one's dtype from a traced value, a raw array or a number."""
        if isinstance(value, Traced):
            return value.astype(self.dtype).box
        xp = self.box._device.use()
        return self.box._wrap(xp.asarray(value).astype(self.dtype))

    def __neg__(self) -> Traced:
        return Traced(elementwise.negative(self.box))

    def __bool__(self) -> bool:
        raise MXNetError("a traced array has no truth value")

    def __matmul__(self, other: Any) -> Traced:
        return Traced(linear.matmul(self.box, self._like(other)))


def _operands(x: Any, y: Any) -> tuple[Any, Any]:
    """Both operands as boxes of one dtype, Python numbers left alone."""
    traced = x if isinstance(x, Traced) else y
    xp = traced.box._device.use()
    arrays = [raw(v) for v in (x, y) if hasattr(v, "dtype")]
    dtype = xp.result_type(*arrays) if len(arrays) == 2 else traced.dtype

    def box(value: Any) -> Any:
        if isinstance(value, Traced):
            return value.astype(dtype).box
        return (
            traced.box._wrap(xp.asarray(value).astype(dtype)) if hasattr(value, "dtype") else value
        )

    return box(x), box(y)


def _arithmetic(name: str, function: Callable[..., Any]) -> None:
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

    def __call__(self, x: Any, y: Any) -> Traced:
        return Traced(elementwise.add(*_operands(x, y)))

    @staticmethod
    def at(whole: Traced, key: Any, value: Any) -> None:
        """Add values to places, as often as these are named."""
        added = indexing.scatter(whole._like(value), key=_raw_key(key), shape=whole.shape)
        whole.box = elementwise.add(whole.box, added)


class TracedLibrary:
    """An array library over `Traced` values, as far as primitives use one."""

    def __init__(self, box: Any) -> None:
        self._box = box
        self._xp = box._device.use()
        self.add = _Add()

    def __getattr__(self, name: str) -> Any:
        if name in UNARY and name in PRIMITIVES:
            return lambda x: (
                Traced(PRIMITIVES[name](x.box))
                if isinstance(x, Traced)
                else getattr(self._xp, name)(x)
            )
        if name in BINARY:
            return lambda x, y: self._binary(name, x, y)
        function = getattr(self._xp, name)
        if name in CONSTANT or not callable(function) or isinstance(function, type):
            if not callable(function) or isinstance(function, type):
                return function
            return lambda *args, **options: function(*(raw(a) for a in args), **options)
        if name in FILLED:
            return lambda *args, **options: self._constant(
                function(*(raw(a) for a in args), **options)
            )
        return lambda *args, **options: self._untraced(name, function, args, options)

    def _constant(self, value: Any) -> Traced:
        return Traced(self._box._wrap(value))

    def _traced(self, value: Any) -> Traced:
        return value if isinstance(value, Traced) else self._constant(self._xp.asarray(value))

    def _binary(self, name: str, x: Any, y: Any) -> Any:
        if not (isinstance(x, Traced) or isinstance(y, Traced)):
            return getattr(self._xp, name)(x, y)
        return Traced(PRIMITIVES[BINARY[name]](*_operands(x, y)))

    def _untraced(self, name: str, function: Any, args: Any, options: dict[str, Any]) -> Any:
        """A function that no rule is known for; what carries no gradient may use it."""
        flat = [
            value for arg in args for value in (arg if isinstance(arg, (list, tuple)) else (arg,))
        ]
        if any(isinstance(value, Traced) for value in [*flat, *options.values()]):
            raise MXNetError(TWICE.format(f"the function '{name}' of the array library"))
        return function(*args, **options)

    # --- functions with rules of their own

    def asarray(self, x: Any, dtype: Any = None) -> Any:
        """x itself."""
        if not isinstance(x, Traced):
            return self._xp.asarray(x, dtype)
        return x if dtype is None else x.astype(dtype)

    ascontiguousarray = asarray

    def sum(self, x: Any, axis: Any = None, keepdims: bool = False, dtype: Any = None) -> Any:
        """The sum over axes."""
        if not isinstance(x, Traced):
            return self._xp.sum(x, axis=axis, keepdims=keepdims, dtype=dtype)
        return x.sum(axis, keepdims)

    def mean(self, x: Any, axis: Any = None, keepdims: bool = False, dtype: Any = None) -> Any:
        """The mean over axes."""
        count = math.prod(x.shape[a] for a in reduce.axes_of(x, axis))
        return self.sum(x, axis, keepdims) / count

    def _extreme(self, name: str, x: Any, axis: Any, keepdims: bool) -> Any:
        if not isinstance(x, Traced):
            return getattr(self._xp, name)(x, axis=axis, keepdims=keepdims)
        kept = Traced(PRIMITIVES[name](x.box, axis=axis, keepdims=True))
        axes = reduce.axes_of(x, axis)
        return (
            kept
            if keepdims
            else kept.reshape(tuple(n for a, n in enumerate(x.shape) if a not in axes))
        )

    def max(self, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        """The largest element."""
        return self._extreme("max", x, axis, keepdims)

    def min(self, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        """The smallest element."""
        return self._extreme("min", x, axis, keepdims)

    def prod(self, x: Any, axis: Any = None, keepdims: bool = False, dtype: Any = None) -> Any:
        """The product over axes."""
        if not isinstance(x, Traced):
            return self._xp.prod(x, axis=axis, keepdims=keepdims, dtype=dtype)
        return self._extreme("prod", x, axis, keepdims)

    def where(self, condition: Any, x: Any, y: Any) -> Any:
        """x where the condition holds, else y."""
        if not (isinstance(x, Traced) or isinstance(y, Traced)):
            return self._xp.where(raw(condition), x, y)
        x, y = _operands(x, y)
        return Traced(elementwise.where(self._box._wrap(raw(condition)), x, y))

    def clip(self, x: Any, low: Any, high: Any) -> Any:
        """x cut to numbers."""
        if not isinstance(x, Traced):
            return self._xp.clip(x, low, high)
        return Traced(elementwise.clip(x.box, a_min=low, a_max=high))

    def copysign(self, x: Any, y: Any) -> Any:
        """|x| with the sign of y."""
        if not isinstance(x, Traced):
            return self._xp.copysign(x, raw(y))
        r = raw(x)
        return x * self._xp.where(self._xp.signbit(r) == self._xp.signbit(raw(y)), 1, -1).astype(
            r.dtype
        )

    def matmul(self, x: Any, y: Any) -> Any:
        """Products of matrices."""
        if not (isinstance(x, Traced) or isinstance(y, Traced)):
            return self._xp.matmul(x, y)
        return Traced(linear.matmul(*_operands(x, y)))

    def dot(self, x: Any, y: Any) -> Any:
        """The product over the last axis of x and the first of y, for vectors and matrices."""
        if x.ndim == 1 and y.ndim == 1:
            return self.sum(x * y)
        rows = x.reshape((1, -1)) if x.ndim == 1 else x
        columns = y.reshape((-1, 1)) if y.ndim == 1 else y
        return self.matmul(rows, columns).reshape((*x.shape[:-1], *y.shape[1:]))

    def outer(self, x: Any, y: Any) -> Any:
        """x_i y_j."""
        return x.reshape((-1, 1)) * y.reshape((1, -1))

    def transpose(self, x: Any, axes: Any = None) -> Any:
        """The axes in another order."""
        return x.transpose(*(axes or ())) if isinstance(x, Traced) else self._xp.transpose(x, axes)

    def swapaxes(self, x: Any, a: int, b: int) -> Any:
        """Two axes exchanged."""
        return x.swapaxes(a, b)

    def moveaxis(self, x: Any, source: int, destination: int) -> Any:
        """One axis in another place."""
        order = [a for a in range(x.ndim) if a != source % x.ndim]
        order.insert(destination % x.ndim, source % x.ndim)
        return x.transpose(*order)

    def reshape(self, x: Any, new: Any) -> Any:
        """Another shape."""
        return x.reshape(new)

    def expand_dims(self, x: Any, axis: Any) -> Any:
        """New axes of length 1."""
        return x.reshape(self._xp.expand_dims(raw(x), axis).shape)

    def squeeze(self, x: Any, axis: Any = None) -> Any:
        """Without axes of length 1."""
        return x.reshape(self._xp.squeeze(raw(x), axis).shape)

    def broadcast_to(self, x: Any, wanted: Any) -> Any:
        """x stretched."""
        return (
            Traced(shape.spread(x.box, shape=tuple(wanted)))
            if isinstance(x, Traced)
            else self._xp.broadcast_to(x, wanted)
        )

    def concatenate(self, parts: Any, axis: int = 0) -> Any:
        """End to end."""
        return Traced(shape.concat(*(self._traced(p).box for p in parts), dim=axis))

    def stack(self, parts: Any, axis: int = 0) -> Any:
        """Along a new axis."""
        return Traced(shape.stack(*(self._traced(p).box for p in parts), axis=axis))

    def pad(self, x: Any, widths: Any, mode: str = "constant", constant_values: float = 0) -> Any:
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

    def flip(self, x: Any, axis: int) -> Any:
        """One axis backwards."""
        return x[(slice(None),) * (axis % x.ndim) + (slice(None, None, -1),)]

    def take(self, x: Any, numbers: Any, axis: int = 0) -> Any:
        """Slices by number."""
        return x[(slice(None),) * (axis % x.ndim) + (raw(numbers),)]

    def take_along_axis(self, x: Any, numbers: Any, axis: int) -> Any:
        """One element for each number, along an axis."""
        if not isinstance(x, Traced):
            return self._xp.take_along_axis(x, raw(numbers), axis=axis)
        return Traced(indexing.take_along_axis(x.box, numbers=raw(numbers), axis=axis))

    def repeat(self, x: Any, repeats: int, axis: int) -> Any:
        """Every element `repeats` times in a row."""
        return self.take(x, self._xp.repeat(self._xp.arange(x.shape[axis]), repeats), axis)

    def tile(self, x: Any, reps: Any) -> Any:
        """The whole repeated along its axes."""
        numbers = self._xp.tile(self._xp.arange(x.size).reshape(x.shape), reps)
        return x.reshape((-1,))[numbers]

    def cumsum(self, x: Any, axis: int) -> Any:
        """Running sums."""
        n = x.shape[axis]
        upper = self._xp.triu(self._xp.ones((n, n), dtype=x.dtype))
        return self.moveaxis(self.matmul(self.moveaxis(x, axis, -1), upper), -1, axis)
