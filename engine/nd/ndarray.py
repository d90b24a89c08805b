"""NDArray: a raw array, its device, and its node on the tape.

Semantics and printed form are those of MXNet's `mx.nd.NDArray`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import numpy as np

from initlab.engine import autograd, dtypes
from initlab.engine.arrays import Array, DType, Library, is_array
from initlab.engine.device import Device, current_device, from_host, to_host
from initlab.engine.errors import MXNetError
from initlab.engine.nd import keys
from initlab.engine.nd.single import convertible
from initlab.engine.ops import elementwise, indexing, linear, shape, traced
from initlab.engine.tape import Leaf, Node, Primitive

Operand: TypeAlias = "NDArray | float | np.number | np.ndarray"
"""The other operand of an NDArray in arithmetic."""
GRAD_REQS = ("write", "add", "null")


class NDArray:
    """An array on a device, created by `nd.array` and the other functions of `nd.creation`.

    Arithmetic returns arrays of the same dtype; comparisons return 1 and 0 in that dtype.
    """

    __array_priority__ = 1000.0
    __hash__ = object.__hash__

    if TYPE_CHECKING:  # defined in tables below the class

        def __add__(self, other: Operand) -> NDArray: ...
        def __radd__(self, other: Operand) -> NDArray: ...
        def __iadd__(self, other: Operand) -> NDArray: ...
        def __sub__(self, other: Operand) -> NDArray: ...
        def __rsub__(self, other: Operand) -> NDArray: ...
        def __isub__(self, other: Operand) -> NDArray: ...
        def __mul__(self, other: Operand) -> NDArray: ...
        def __rmul__(self, other: Operand) -> NDArray: ...
        def __imul__(self, other: Operand) -> NDArray: ...
        def __truediv__(self, other: Operand) -> NDArray: ...
        def __rtruediv__(self, other: Operand) -> NDArray: ...
        def __itruediv__(self, other: Operand) -> NDArray: ...
        def __mod__(self, other: Operand) -> NDArray: ...
        def __rmod__(self, other: Operand) -> NDArray: ...
        def __imod__(self, other: Operand) -> NDArray: ...
        def __pow__(self, other: Operand) -> NDArray: ...
        def __rpow__(self, other: Operand) -> NDArray: ...
        def __ipow__(self, other: Operand) -> NDArray: ...
        def __lt__(self, other: NDArray | float) -> NDArray: ...
        def __le__(self, other: NDArray | float) -> NDArray: ...
        def __gt__(self, other: NDArray | float) -> NDArray: ...
        def __ge__(self, other: NDArray | float) -> NDArray: ...
        def __eq__(self, other: object) -> NDArray: ...  # type: ignore[override]
        def __ne__(self, other: object) -> NDArray: ...  # type: ignore[override]
        def __getattr__(self, name: str) -> Callable[..., NDArray]: ...

    _fresh: bool
    """For a gradient: whether it was written since its parameter was last updated."""

    def __init__(self, raw: Array | np.ndarray, device: Device) -> None:
        self._raw = cast(Array, raw)
        self._device = device
        self._node: Node | Leaf | None = None
        self._grad: NDArray | None = None

    # --- what autograd asks of a box

    def _wrap(self, raw: Array) -> NDArray:
        return NDArray(raw, self._device)

    def _traced(self) -> Array:
        return traced.Traced(self)

    def _traced_xp(self) -> Library:
        return cast(Library, traced.TracedLibrary(self))

    def _ones(self) -> Array:
        return self._device.use().ones_like(self._raw)

    def _mark(self, gradient: NDArray | None, grad_req: str) -> None:
        """Make this array a variable whose gradient is written into `gradient` as `grad_req` says."""
        if grad_req not in GRAD_REQS:
            raise ValueError(
                f"grad_req must be one of 'write', 'add', or 'null', but got '{grad_req}'"
            )
        self._grad = gradient
        if grad_req == "null" or gradient is None:
            self._node = None
            return

        def receive(total: Array) -> None:
            gradient._device.use()
            gradient._raw[...] = gradient._raw + total if grad_req == "add" else total
            gradient._fresh = True

        self._node = Leaf(receive, gradient)

    # --- description

    @property
    def shape(self) -> tuple[int, ...]:
        """The length of each axis."""
        return tuple(self._raw.shape)

    @property
    def dtype(self) -> type[np.generic]:
        """The NumPy scalar type, like `numpy.float32`."""
        return self._raw.dtype.type

    @property
    def size(self) -> int:
        """The number of elements."""
        return int(self._raw.size)

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def device(self) -> Device:
        """The device that holds the array."""
        return self._device

    context = ctx = device

    @property
    def _fresh_grad(self) -> bool:
        """Whether the gradient was written since this was last set to False, as Trainer does: what
        code for MXNet reads.
        """
        return self._grad is not None and self._grad.__dict__.get("_fresh", False)

    @_fresh_grad.setter
    def _fresh_grad(self, state: bool) -> None:
        if self._grad is not None:
            self._grad._fresh = bool(state)

    def tostype(self, stype: str) -> NDArray:
        """Return a copy for 'default'. Raises ValueError for another storage type: arrays are dense
        here.
        """
        if stype != "default":
            raise ValueError(f"storage type '{stype}' is not supported: arrays are dense here")
        return self.copy()

    @property
    def stype(self) -> str:
        """The storage type: always 'default' (dense)."""
        return "default"

    @property
    def writable(self) -> bool:
        """Whether the array may be written into: true unless it shares read-only memory."""
        return bool(getattr(getattr(self._raw, "flags", None), "writeable", True))

    @property
    def grad(self) -> NDArray | None:
        """The gradient, as a new NDArray on the same memory; None before `attach_grad`."""
        return None if self._grad is None else self._grad._handle()

    def _handle(self) -> NDArray:
        """Return another NDArray on the same memory that is not on the tape."""
        return NDArray(self._raw, self._device)

    @property
    def T(self) -> NDArray:
        """The array with its axes in reverse order."""
        return self.transpose()

    def __repr__(self) -> str:
        size = "x".join(str(n) for n in self.shape)
        return f"\n{self.asnumpy()!s}\n<{type(self).__name__} {size} @{self._device}>"

    def __reduce__(self) -> tuple[object, ...]:
        """Support copying and pickling: keep values and device, drop the gradient and the tape
        node.
        """
        return _restored, (self.asnumpy(), self._device.device_type, self._device.device_id)

    def __getstate__(self) -> dict[str, object]:
        """Return values and device, as `__setstate__` takes them."""
        return {
            "values": self.asnumpy(),
            "device": (self._device.device_type, self._device.device_id),
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Become the array that `__getstate__` described, without a gradient."""
        device = Device(*state["device"])
        NDArray.__init__(self, from_host(np.array(state["values"]), device), device)

    def __len__(self) -> int:
        return self.shape[0]

    def __iter__(self) -> Iterator[NDArray]:
        for i in range(len(self)):
            yield self[i]

    def __bool__(self) -> bool:
        if self.size > 1:
            raise ValueError("The truth value of an NDArray with multiple elements is ambiguous.")
        return self.size == 1 and bool(self.asscalar())

    def __float__(self) -> float:
        return float(self.asscalar())

    def __int__(self) -> int:
        return int(self.asscalar())

    def __index__(self) -> int:
        if self._raw.dtype.kind not in "iu":
            raise TypeError("only integer arrays can be used as an index")
        return int(self.asscalar())

    # --- to and from elsewhere

    def asnumpy(self) -> np.ndarray:
        """Return a copy in host memory as a NumPy array. One with a single element converts to a
        number.
        """
        return convertible(np.array(to_host(self._raw, self._device)))

    def asscalar(self) -> Any:
        """Return the only element as a NumPy scalar. Raises ValueError if there are several."""
        if self.size != 1:
            raise ValueError("The current array is not a scalar")
        return self.asnumpy().reshape(-1)[0]

    def item(self) -> Any:
        """Return the only element as a Python number. Raises ValueError if there are several."""
        return self.asscalar().item()

    def __array__(self, dtype: DType = None, copy: bool | None = None) -> np.ndarray:
        """Return a copy in host memory, or with `copy=False` the array's own memory.

        Raises ValueError if `copy=False` and the array is on a GPU or of another dtype.
        """
        if copy is False:
            host = to_host(self._raw, self._device)
            if cast(Array, host) is not self._raw or (
                dtype is not None and np.dtype(dtype) != host.dtype
            ):
                raise ValueError(
                    "Unable to avoid copy: the array is on another device or of another dtype"
                )
            return host
        array = self.asnumpy()
        return array if dtype is None else array.astype(dtype, copy=False)

    def __dlpack__(self, **options: object) -> object:
        """Share the array's memory with another library (DLPack).

        Raises BufferError if DLPack does not have the array's dtype.
        """
        exported: object = cast(np.ndarray, self._raw).__dlpack__(**options)  # type: ignore[arg-type]
        return exported

    def __dlpack_device__(self) -> tuple[int, int]:
        """The device of the memory, as DLPack's (type, id)."""
        return cast(np.ndarray, self._raw).__dlpack_device__()

    def astype(self, dtype: DType, copy: bool = True) -> NDArray:
        """Convert to `dtype`. Returns the array itself if it has that dtype and `copy` is False."""
        resolved = dtypes.resolve(dtype)
        return (
            self
            if not copy and self._raw.dtype == resolved
            else elementwise.cast(self, dtype=resolved)
        )

    def copy(self) -> NDArray:
        """Return a copy on the same device."""
        return elementwise.identity(self)

    def copyto(self, other: NDArray | Device) -> NDArray:
        """Copy into `other`, an array of the same shape, or onto the device `other`.

        Raises TypeError if it is something else, MXNetError if the shapes differ.
        """
        if isinstance(other, Device):
            if other == self._device:
                return self.copy()
            return NDArray(from_host(self.asnumpy(), other), other)
        if not isinstance(other, NDArray):
            raise TypeError(f"copyto does not support type {type(other)}")
        if other is self:
            return other
        if other.shape != self.shape:
            expected, got = ("[" + ",".join(map(str, x.shape)) + "]" for x in (self, other))
            raise MXNetError.checked(
                "Check failed: assign(&dattr, vec.at(i)): Incompatible attr in node  at 0-th output: "
                f"expected {expected}, got {got}"
            )
        other[:] = self if other._device == self._device else self.copyto(other._device)
        return other

    def as_in_context(self, device: Device) -> NDArray:
        """Return the array itself if it is on `device`, else a copy there."""
        return self if device == self._device else self.copyto(device)

    as_in_ctx = to_device = as_in_context

    def as_nd_ndarray(self) -> NDArray:
        """Return the array itself (MXNet's API)."""
        return self

    def tolist(self) -> list[Any]:
        """Return the elements as nested Python lists."""
        numbers: list[Any] = self.asnumpy().tolist()
        return numbers

    def wait_to_read(self) -> None:
        """Do nothing: operations are synchronous here, so the values are ready (MXNet's API)."""

    # --- autograd

    def attach_grad(self, grad_req: str = "write", stype: str | None = None) -> None:
        """Make this array a variable with a gradient of zeros, cut off from what computed it."""
        self._mark(NDArray(self._device.use().zeros_like(self._raw), self._device), grad_req)

    def detach(self) -> NDArray:
        """Return an array on the same memory that is not on the tape."""
        return self._handle()

    def backward(
        self, out_grad: NDArray | None = None, retain_graph: bool = False, train_mode: bool = True
    ) -> None:
        """Send gradients to every variable that this array depends on.

        `out_grad` is the gradient of this array, by default ones.
        """
        autograd.backward([self], [out_grad], retain_graph, train_mode)

    def zero_grad(self) -> None:
        """Set the gradient to zero."""
        if self._grad is not None:
            self._device.use()
            self._grad._raw[...] = 0

    # --- parts

    def _raw_index(self, value: object) -> Array | None:
        """Convert an array-like of indices to a raw array; return None if it is no array-like."""
        if isinstance(value, NDArray):
            return value._raw
        if isinstance(value, (list, tuple, range, np.ndarray)):
            numbers = np.asarray(value)
            return from_host(numbers, self._device) if numbers.dtype.kind in "biuf" else None
        return None

    def _key(self, key: object) -> object:
        """Check an index and convert all arrays in it to raw arrays."""
        return keys.resolve(key, self._raw.shape, self._raw_index)

    def __getitem__(self, key: object) -> NDArray:
        """Return a view if the elements are contiguous, else a copy.

        Raises IndexError if an index is out of range, and ValueError for a boolean mask or an
        invalid index.
        """
        return indexing.getitem(self, key=self._key(key))

    def __setitem__(self, key: object, value: object) -> None:
        """Write `value` in place.

        While recording, an array that is not on the tape yet takes over the tape node of the
        result.
        """
        autograd.check_writable(self)
        place, given = self._key(key), self._value(value)
        if is_array(given) and given.ndim and given.size == 1:
            given = given.reshape(())
        self._device.use()
        try:
            if autograd.is_recording() and isinstance(value, NDArray) and value._node is not None:
                result = indexing.replace(
                    self, value.astype(self._raw.dtype, copy=False), key=place
                )
                self._raw[...], self._node = result._raw, result._node
            else:
                self._raw[place] = given
        except ValueError:
            wanted = tuple(self._raw[place].shape) or (1,)
            raise ValueError(
                "operands could not be broadcast together with remapped shapes[original->remapped]: "
                f"{tuple(np.shape(cast(np.ndarray, value)))} and requested shape {wanted}"
            ) from None

    def _value(self, value: object) -> Array | float:
        """Convert the value to write to a raw array on this array's device."""
        if isinstance(value, NDArray):
            return value.as_in_context(self._device)._raw
        if isinstance(value, (bool, int, float, np.number)):
            return cast(float, value)
        if isinstance(value, (list, tuple, np.ndarray)):
            return from_host(np.asarray(value).astype(self._raw.dtype), self._device)
        raise TypeError(
            f"{type(self)} does not support assignment with non-array-like object {value} of type "
            f"{type(value)}"
        )

    # --- arithmetic

    def _operand(self, other: object) -> Any:
        if isinstance(other, NDArray):
            return other
        if isinstance(other, np.generic):
            other = other.item()
        if isinstance(other, (bool, int, float)):
            if isinstance(other, float) and self._raw.dtype.kind in "iu" and math.isfinite(other):
                return int(other)  # MXNet first casts a number to the array's dtype
            return other
        if isinstance(other, np.ndarray):
            return NDArray(from_host(other.astype(self._raw.dtype), self._device), self._device)
        return NotImplemented

    def _in_place(self, result: NDArray) -> NDArray:
        autograd.check_writable(self)
        if result.shape != self.shape:
            raise MXNetError(
                f"an array of shape {self.shape} cannot hold a result of shape {result.shape} in place"
            )
        self._raw[...] = result._raw
        return self

    def __abs__(self) -> NDArray:
        return elementwise.abs(self)

    def __neg__(self) -> NDArray:
        return elementwise.negative(self)

    def reshape(self, *new_shape: Any, **options: Any) -> NDArray:
        """Return a view of another shape and the same size.

        The shape may use MXNet's codes 0, -1, -2, -3 and -4 (see `engine.ops.shape.target_shape`);
        with `reverse=True` they are matched from the right.
        """
        if len(new_shape) == 1 and isinstance(new_shape[0], (tuple, list)):
            new_shape = tuple(new_shape[0])
        elif not new_shape:
            wanted = options.get("shape")
            if not wanted:
                raise AssertionError("Shape must be provided.")
            new_shape = (wanted,) if isinstance(wanted, int) else tuple(wanted)
        if not set(options) <= {"shape", "reverse"}:
            unknown = ", ".join(sorted(set(options) - {"shape", "reverse"}))
            raise TypeError(
                f"Got unknown keywords in reshape: {unknown}. Accepted keyword arguments are 'shape' and "
                "'reverse'."
            )
        return shape.reshape(self, shape=new_shape, reverse=bool(options.get("reverse", False)))

    def transpose(self, *order: Any, axes: Any = None) -> NDArray:
        """Return the axes in another order, by default reversed; `order` are numbers or one tuple,
        which may be given as `axes`.
        """
        given = order if axes is None else (axes,)
        chosen = given[0] if len(given) == 1 and not isinstance(given[0], int) else given
        return shape.transpose(self, axes=tuple(chosen) if chosen else None)

    def __matmul__(self, other: NDArray) -> NDArray:
        """Return the matrix product, like `nd.dot`."""
        return linear.dot(self, other)


def _restored(values: np.ndarray, device_type: str, device_id: int) -> NDArray:
    device = Device(device_type, device_id)
    return NDArray(from_host(values, device), device)


def _binary(name: str, function: Primitive) -> None:
    """Define `x op y`, `y op x` and `x op= y`."""

    def forward(self: NDArray, other: object) -> object:
        operand = self._operand(other)
        return NotImplemented if operand is NotImplemented else function(self, operand)

    def reflected(self: NDArray, other: object) -> object:
        operand = self._operand(other)
        return NotImplemented if operand is NotImplemented else function(operand, self)

    def in_place(self: NDArray, other: object) -> object:
        operand = self._operand(other)
        if operand is NotImplemented:
            return NotImplemented
        autograd.check_writable(self)
        with autograd.pause(autograd.is_training()):
            return self._in_place(function(self, operand))

    for prefix, method in (("", forward), ("r", reflected), ("i", in_place)):
        setattr(NDArray, f"__{prefix}{name}__", method)


for _name, _function in (
    ("add", elementwise.add),
    ("sub", elementwise.subtract),
    ("mul", elementwise.multiply),
    ("truediv", elementwise.divide),
    ("mod", elementwise.modulo),
    ("pow", elementwise.power),
):
    _binary(_name, _function)


def _comparison(name: str, function: Primitive) -> None:
    def compare(self: NDArray, other: object) -> object:
        operand = self._operand(other)
        return NotImplemented if operand is NotImplemented else function(self, operand)

    setattr(NDArray, f"__{name}__", compare)


for _name, _function in (
    ("eq", elementwise.equal),
    ("ne", elementwise.not_equal),
    ("gt", elementwise.greater),
    ("ge", elementwise.greater_equal),
    ("lt", elementwise.less),
    ("le", elementwise.less_equal),
):
    _comparison(_name, _function)


def place(ctx: Device | None, device: Device | None = None) -> Device:
    """Return the device given as `ctx` or `device`, else the current device."""
    return device or ctx or current_device()
