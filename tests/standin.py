"""A stand-in for an array library: opaque arrays that refuse NumPy, and a namespace that counts its
calls.

An op or NDArray method that calls NumPy, or converts an array, raises an error. One that uses `xp`
is counted.
"""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import numpy as np

from initlab.engine import device as devices


class Opaque:
    """An array that works only with the stand-in namespace and array operators, and only while its
    device is the current one.
    """

    __array_ufunc__ = None
    current = 0
    """The number of the current device, where new arrays are made: CuPy has one a thread."""

    def __new__(cls, *args: Any) -> Opaque:
        made = super().__new__(cls)
        made.place = cls.current
        return made

    def __init__(self, values: Any) -> None:
        self._values = np.asarray(values)

    def __array__(self, *args: Any, **options: Any) -> Any:
        raise AssertionError("something converted an array to NumPy")

    def __array_function__(self, function: Any, *args: Any) -> Any:
        raise AssertionError(f"numpy.{function.__name__} was called on an array")

    shape = property(lambda self: self._values.shape)
    dtype = property(lambda self: self._values.dtype)
    ndim = property(lambda self: self._values.ndim)
    size = property(lambda self: self._values.size)
    T = property(lambda self: self._view(self._values.T))

    def _view(self, values: Any) -> Opaque:
        part = Opaque(values)
        part.place = self.place
        return part

    def __getitem__(self, key: Any) -> Opaque:
        return self._view(self._values[_open(key)])

    def __setitem__(self, key: Any, value: Any) -> None:
        _open(self)[_open(key)] = _open(value)

    def __bool__(self) -> bool:
        return bool(self._values)


def _open(value: Any) -> Any:
    if isinstance(value, Opaque):
        assert value.place == Opaque.current, (
            f"an array of device {value.place} was used while {Opaque.current} is the current one"
        )
        return value._values
    if isinstance(value, tuple):
        return tuple(_open(v) for v in value)
    if isinstance(value, list):
        return [_open(v) for v in value]
    return value


def _close(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(_close(part) for part in value)
    if isinstance(value, (np.ndarray, np.generic)):
        return Opaque(value)
    return value


def _forward(name: str) -> Any:
    def method(self: Opaque, *args: Any, **options: Any) -> Any:
        return _close(getattr(_open(self), name)(*(_open(a) for a in args), **options))

    return method


for _name in ("reshape", "astype", "copy"):
    setattr(Opaque, _name, _forward(_name))
for _name in (
    "add",
    "sub",
    "mul",
    "truediv",
    "mod",
    "pow",
    "and",
    "or",
    "eq",
    "ne",
    "lt",
    "le",
    "gt",
    "ge",
):
    setattr(Opaque, f"__{_name}__", _forward(f"__{_name}__"))
    setattr(Opaque, f"__r{_name}__", _forward(f"__r{_name}__"))
Opaque.__neg__ = _forward("__neg__")  # type: ignore[attr-defined]


class Counting:
    """NumPy's functions over opaque arrays, by attribute; `calls` counts them by name."""

    def __init__(self, calls: Counter[str], prefix: str = "", inner: Any = np) -> None:
        self.calls = calls
        self._prefix = prefix
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if isinstance(found, np.ufunc) and name == "add":
            return _Add(self.calls)
        if isinstance(found, ModuleType):
            return Counting(self.calls, f"{name}.", found)
        if not callable(found):
            return found

        def called(*args: Any, **options: Any) -> Any:
            self.calls[self._prefix + name] += 1
            for arg in args:
                assert not isinstance(arg, np.ndarray), f"xp.{name} was given a NumPy array"
            return _close(
                found(*(_open(a) for a in args), **{k: _open(v) for k, v in options.items()})
            )

        return called


class _Add:
    """`xp.add`, which is also `xp.add.at`."""

    def __init__(self, calls: Counter[str]) -> None:
        self.calls = calls

    def __call__(self, x: Any, y: Any) -> Any:
        self.calls["add"] += 1
        return _close(np.add(_open(x), _open(y)))

    def at(self, target: Opaque, key: Any, values: Any) -> None:
        self.calls["add.at"] += 1
        np.add.at(_open(target), _open(key), _open(values))


@contextmanager
def counting_device() -> Any:
    """Provide a device type `standin` with opaque arrays while open. Yields (device, counts)."""
    calls: Counter[str] = Counter()
    library = Counting(calls)
    provider = devices.Namespace(
        lambda device: library,
        lambda raw: raw._values,
        lambda array, device: Opaque(np.array(array)),
    )
    with devices.namespace("standin", provider):
        yield devices.Device("standin"), calls


@contextmanager
def several_devices() -> Any:
    """Provide a device type `several` with any number of devices while open. As with CuPy, asking
    for a device's library makes the device current, and reading an array needs no current device.
    """
    library = Counting(Counter())

    def use(device: devices.Device) -> Any:
        Opaque.current = device.device_id
        return library

    def from_host(array: np.ndarray, device: devices.Device) -> Opaque:
        use(device)
        return Opaque(np.array(array))

    with devices.namespace("several", devices.Namespace(use, lambda raw: raw._values, from_host)):
        try:
            yield lambda number: devices.Device("several", number)
        finally:
            Opaque.current = 0
