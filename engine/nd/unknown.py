"""Arrays of unknown shape, which stand for parameters while the shapes of a block are inferred.

Inside `inferring()`, a block's computation runs once with an `Unknown` in place of each parameter
whose shape is not known. An operator that receives one gives it the shape that the other inputs and
the options ask for, by RULES; from then on it is an array of zeros. So shapes are inferred in the
cases in which MXNet infers them from its graph of symbols.

    operators                                  what an unknown input gets
    FullyConnected, Convolution, Deconvolution weight: units and channels; bias: units
    BatchNorm, LayerNorm, InstanceNorm         the channels
    GroupNorm                                  the groups
    Embedding                                  (input_dim, output_dim)
    + - * / of arrays, add_n, where, stack …   the shape of the other inputs
    concat                                     the other axes
    functions of one array                     what the result gets
    broadcast_add …, dot, reductions           nothing: the shape is ambiguous, as in MXNet
"""

from __future__ import annotations

import inspect
import math
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from initlab.engine import dtypes
from initlab.engine.arrays import Array, DType
from initlab.engine.device import Device
from initlab.engine.errors import MXNetError
from initlab.engine.nd.ndarray import NDArray

Shape = tuple[int, ...]
Arguments = dict[str, Any]
_mode = threading.local()
_active: list[object] = []
"""One item for each `inferring()` of any thread: an empty list spares the look into the thread."""


def is_inferring() -> bool:
    """Return whether shapes are being inferred in this thread."""
    return bool(_active) and getattr(_mode, "inferring", False)


@contextmanager
def inferring() -> Iterator[None]:
    """Let operators give shapes to arrays of unknown shape, inside a `with`."""
    before, _mode.inferring = is_inferring(), True
    _active.append(None)
    try:
        yield
    finally:
        _active.pop()
        _mode.inferring = before


class _Cell:
    """A shape that several arrays have: 0 for an unknown length, None for an unknown number of
    axes.
    """

    def __init__(self, shape: Shape | None) -> None:
        self.shape = shape
        self.same: _Cell | None = None

    def root(self) -> _Cell:
        """Return the cell that decides, after cells were joined."""
        return self if self.same is None else self.same.root()


class Unknown(NDArray):
    """An array whose shape is known in part, and which is zero once all of it is known."""

    def __init__(
        self,
        name: str,
        shape: Sequence[int] | None,
        dtype: DType,
        device: Device,
        cell: _Cell | None = None,
    ) -> None:
        self._name = name
        self._cell = cell or _Cell(None if shape is None else tuple(max(0, n) for n in shape))
        self._kind = dtypes.resolve(dtype)
        self._device = device
        self._node = None
        self._grad = None
        self._values: Array | None = None

    @property
    def partial(self) -> Shape | None:
        """The shape as far as it is known."""
        return self._cell.root().shape

    @property
    def shape(self) -> Shape:
        """The shape, with 0 for an unknown length."""
        return self.partial or ()

    @property
    def known(self) -> bool:
        """Whether the whole shape is known."""
        return self.partial is not None and 0 not in self.partial

    @property
    def dtype(self) -> type[np.generic]:
        """The NumPy scalar type."""
        return self._kind.type

    @property
    def _raw(self) -> Array:  # type: ignore[override]
        if not self.known:
            raise MXNetError.checked(
                f"the shape {self.partial} of '{self._name}' is not known, and does not follow from the "
                "operator that uses it - give the parameter its shape, or define infer_shape(self, *inputs)"
            )
        if self._values is None:
            self._values = self._device.use().zeros(self.shape, self._kind)
        return self._values

    def settle(self, shape: Sequence[int]) -> None:
        """Take the lengths that are not known yet. Raises MXNetError if the others differ."""
        cell, wanted = self._cell.root(), tuple(shape)
        if cell.shape is None:
            cell.shape = wanted
            return
        known = cell.shape
        if len(known) != len(wanted) or any(
            a != b and a and b for a, b in zip(known, wanted, strict=True)
        ):
            provided, inferred_ = (",".join(map(str, shape)) for shape in (known, wanted))
            raise MXNetError.checked(
                f"Shape inconsistent, Provided = [{provided}], inferred shape=({inferred_})"
            )
        cell.shape = tuple(a or b for a, b in zip(known, wanted, strict=True))

    def join(self, other: Unknown) -> None:
        """Have one shape with `other` from now on."""
        mine, its = self._cell.root(), other._cell.root()
        if mine is not its:
            if its.shape is not None:
                self.settle(its.shape)
            its.same = mine

    def like(self) -> Unknown:
        """Return the result of a function that keeps the shape."""
        return Unknown(self._name, None, self.dtype, self._device, self._cell.root())


def alike(*arrays: NDArray) -> Unknown | None:
    """Give all arrays one shape, that of the first one that is known. Returns what stands for the
    result if none is.
    """
    unknown = [one for one in arrays if isinstance(one, Unknown) and not one.known]
    known = next((one for one in arrays if not isinstance(one, Unknown) or one.known), None)
    if known is not None:
        for one in unknown:
            one.settle(known.shape)
        return None
    for other in unknown[1:]:
        unknown[0].join(other)
    return unknown[0].like()


Rule = Callable[[Arguments], Unknown | None]


def _dense(given: Arguments) -> Unknown | None:
    data, weight = given["data"].shape, given["weight"]
    units = given["num_hidden"] or weight.shape[0]
    width = math.prod(data[1:]) if given["flatten"] else data[-1]
    return _settle(given, weight=(units, width), bias=(units,))


def _convolution(given: Arguments) -> Unknown | None:
    return _kernel(given, lambda channels, filters, groups: (filters, channels // groups))


def _deconvolution(given: Arguments) -> Unknown | None:
    return _kernel(given, lambda channels, filters, groups: (channels, filters // groups))


def _kernel(given: Arguments, ends: Callable[[int, int, int], tuple[int, int]]) -> Unknown | None:
    data, filters, kernel = given["data"].shape, given["num_filter"], tuple(given["kernel"])
    last = (given["layout"] or "NC").endswith("C") and len(given["layout"] or "NC") > 2
    first, second = ends(data[-1 if last else 1], filters, given["num_group"])
    return _settle(
        given,
        weight=(first, *kernel, second) if last else (first, second, *kernel),
        bias=(filters,),
    )


def _norm(*names: str, axis: int | None = None) -> Rule:
    def rule(given: Arguments) -> Unknown | None:
        length = given["data"].shape[given["axis"] if axis is None else axis]
        return _settle(given, **dict.fromkeys(names, (length,)))

    return rule


def _groups(given: Arguments) -> Unknown | None:
    return _settle(given, gamma=(given["num_groups"],), beta=(given["num_groups"],))


def _table(given: Arguments) -> Unknown | None:
    return _settle(given, weight=(given["input_dim"], given["output_dim"]))


def _settle(given: Arguments, **shapes: Shape) -> Unknown | None:
    for name, shape in shapes.items():
        if isinstance(given.get(name), Unknown):
            given[name].settle(shape)
    return None


def _same(given: Arguments) -> Unknown | None:
    arrays: list[Any] = []
    for value in given.values():
        arrays += value if isinstance(value, tuple) else [value]
    return alike(*(one for one in arrays if isinstance(one, NDArray)))


def _first(given: Arguments) -> Unknown | None:
    first = next(iter(given.values()))
    return first.like() if isinstance(first, Unknown) else None


def _joined(given: Arguments) -> Unknown | None:
    arrays = next(value for value in given.values() if isinstance(value, tuple))
    known = next((one.shape for one in arrays if not isinstance(one, Unknown) or one.known), ())
    axis = given["dim"] % max(1, len(known))
    for one in arrays if known else ():
        if isinstance(one, Unknown):
            one.settle([0 if a == axis else n for a, n in enumerate(known)])
    return None


RULES: dict[str, Rule] = {
    "FullyConnected": _dense,
    "Convolution": _convolution,
    "Deconvolution": _deconvolution,
    "BatchNorm": _norm("gamma", "beta", "moving_mean", "moving_var"),
    "LayerNorm": _norm("gamma", "beta"),
    "InstanceNorm": _norm("gamma", "beta", axis=1),
    "GroupNorm": _groups,
    "Embedding": _table,
    "concat": _joined,
    **dict.fromkeys(
        (
            *("elemwise_add", "elemwise_sub", "elemwise_mul", "elemwise_div", "add_n", "where"),
            *("add", "subtract", "multiply", "divide", "modulo", "power", "maximum", "minimum"),
            *("equal", "not_equal", "greater", "greater_equal", "lesser", "lesser_equal", "stack"),
        ),
        _same,
    ),
}
"""MXNet's name of an operator -> the rule that gives shapes to its unknown inputs. A rule returns
what stands for the result if the shape is still unknown and the result has it, too.
"""
KEEPING = {"Activation", "LeakyReLU", "Dropout", "clip", "cast", "identity", "BlockGrad", "softmax"}
KEEPING |= {"log_softmax", "smooth_l1", "zeros_like", "ones_like", "L2Normalization"}
"""Operators whose result has the shape of their first input, besides those of one array."""


def inferred(
    name: str, function: Callable[..., object], args: Sequence[object], options: Arguments
) -> Unknown | None:
    """Give shapes to the unknown inputs of an operator. Returns what stands for its result, or None
    if it can be computed.
    """
    if not any(isinstance(one, Unknown) and not one.known for one in (*args, *options.values())):
        return None
    bound = inspect.signature(function).bind(*args, **options)
    bound.apply_defaults()
    rule = RULES.get(name)
    if rule is not None:
        return rule(bound.arguments)
    return _first(bound.arguments) if name in KEEPING or len(bound.arguments) == 1 else None


def _arithmetic(name: str) -> None:
    """Let `x op y` give both arrays one shape while the shape of one is unknown."""
    plain = getattr(NDArray, name)

    def applied(self: Unknown, other: object) -> object:
        if not self.known or (isinstance(other, Unknown) and not other.known):
            stands = alike(self, *([other] if isinstance(other, NDArray) else []))
            if stands is not None:
                return stands
        return plain(self, other)

    setattr(Unknown, name, applied)


for _name in ("add", "sub", "mul", "truediv", "mod", "pow"):
    _arithmetic(f"__{_name}__")
    _arithmetic(f"__r{_name}__")
for _name in ("gt", "ge", "lt", "le"):
    _arithmetic(f"__{_name}__")
