"""A stand-in for an array library: opaque arrays that refuse NumPy, behind a namespace that counts its calls.

An op or an NDArray method that reaches for NumPy (or converts an array on the way) raises; one that goes through `xp` is counted.
"""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from typing import Any

import numpy as np

from engine import device as devices


class Opaque:
    """An array that only the stand-in namespace and array operators understand."""

    __array_ufunc__ = None

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
    T = property(lambda self: Opaque(self._values.T))

    def __getitem__(self, key: Any) -> Opaque:
        part = Opaque.__new__(Opaque)
        part._values = self._values[_open(key)]
        if not isinstance(part._values, np.ndarray):
            part._values = np.asarray(part._values)
        return part

    def __setitem__(self, key: Any, value: Any) -> None:
        self._values[_open(key)] = _open(value)

    def __bool__(self) -> bool:
        return bool(self._values)


def _open(value: Any) -> Any:
    if isinstance(value, Opaque):
        return value._values
    if isinstance(value, tuple):
        return tuple(_open(v) for v in value)
    if isinstance(value, list):
        return [_open(v) for v in value]
    return value


def _close(value: Any) -> Any:
    if isinstance(value, (np.ndarray, np.generic)):
        return Opaque(value)
    return value


def _forward(name: str) -> Any:
    def method(self: Opaque, *args: Any, **options: Any) -> Any:
        return _close(getattr(self._values, name)(*(_open(a) for a in args), **options))

    return method


for _name in ("reshape", "astype", "copy"):
    setattr(Opaque, _name, _forward(_name))
for _name in ("add", "sub", "mul", "truediv", "mod", "pow", "and", "or", "eq", "ne", "lt", "le", "gt", "ge"):
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
        if not callable(found):
            return found

        def called(*args: Any, **options: Any) -> Any:
            self.calls[name] += 1
            for arg in args:
                assert not isinstance(arg, np.ndarray), f"xp.{name} was given a NumPy array"
            return _close(found(*(_open(a) for a in args), **{k: _open(v) for k, v in options.items()}))

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
        np.add.at(target._values, _open(key), _open(values))


@contextmanager
def counting_device() -> Any:
    """(device, counts): a device type `standin` whose arrays are opaque, while open."""
    calls: Counter[str] = Counter()
    library = Counting(calls)
    provider = devices.Namespace(lambda device: library, lambda raw: raw._values, lambda array, device: Opaque(np.array(array)))
    with devices.namespace("standin", provider):
        yield devices.Device("standin"), calls
