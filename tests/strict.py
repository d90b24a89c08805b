"""An array library that has the array API standard and, beyond it, only what CuPy documents: what
an op may use to run on a GPU.

Arrays are `array_api_strict`'s, in a wrapper. A call goes to the standard's function if there is
one of that name and it takes the arguments; the standard refuses NumPy's own keywords, implicit
conversions, and NumPy arrays among its arguments. What ops use besides is listed here by name;
anything else is an AttributeError. Three things the standard forbids and CuPy allows are let
through, each in one place: operands of different kinds, which promote as NumPy's do; indexing and
assignment with arrays; NumPy's order for a reduction's positional arguments.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import array_api_strict as standard
import numpy as np

from initlab.engine import device as devices

BEYOND: dict[str, tuple[str, ...]] = {
    "argsort": ("kind",),
    "ascontiguousarray": (),
    "cbrt": (),
    "concatenate": ("axis",),
    "cumsum": ("axis",),
    "isclose": ("rtol", "atol", "equal_nan"),
    "mod": (),
    "pad": ("mode", "constant_values"),
    "power": (),
    "rint": (),
    "swapaxes": (),
    "transpose": (),
}
"""Functions outside the standard that CuPy has, and the keywords that it takes of those that ops
use (docs.cupy.dev, reference).
"""


class Beyond(AttributeError):
    """Raised when an op uses something that neither the standard nor CuPy has."""


class Array:
    """A strict array with the methods that CuPy's have, too."""

    __array_ufunc__ = None

    def __init__(self, strict: Any) -> None:
        self.strict = strict

    def __array__(self, *args: Any, **options: Any) -> Any:
        raise TypeError("Implicit conversion to a NumPy array is not allowed")  # CuPy's words

    def __array_function__(self, function: Any, *args: Any) -> Any:
        raise TypeError(f"numpy.{function.__name__} was called on an array of a device")

    shape = property(lambda self: self.strict.shape)
    ndim = property(lambda self: self.strict.ndim)
    size = property(lambda self: self.strict.size)
    dtype = property(lambda self: np.dtype(str(self.strict.dtype).rpartition(".")[2]))
    T = property(lambda self: wrap(values(self).T))

    def reshape(self, *shape: Any) -> Array:
        return Array(
            standard.reshape(
                self.strict, shape[0] if len(shape) == 1 and isinstance(shape[0], tuple) else shape
            )
        )

    def astype(self, dtype: Any, copy: bool = True) -> Array:
        return Array(
            standard.astype(self.strict, getattr(standard, np.dtype(dtype).name), copy=copy)
        )

    def copy(self) -> Array:
        return Array(standard.asarray(self.strict, copy=True))

    def __getitem__(self, key: Any) -> Array:
        return wrap(values(self)[indices(key)])

    def __setitem__(self, key: Any, value: Any) -> None:
        held = values(self).copy()
        held[indices(key)] = values(value) if isinstance(value, Array) else refuse_numpy(value)
        self.strict[...] = standard.asarray(held)

    def __bool__(self) -> bool:
        return bool(self.strict)

    def __neg__(self) -> Array:
        return Array(-self.strict)


def values(array: Array) -> np.ndarray:
    """Return the array for functions that the standard lacks. It is the only conversion to NumPy."""
    return np.asarray(array.strict._array)


def wrap(found: Any) -> Any:
    if isinstance(found, (np.ndarray, np.generic)):
        return Array(standard.asarray(np.array(found)))
    if isinstance(found, tuple):
        return tuple(wrap(part) for part in found)
    return Array(found) if type(found).__module__.startswith("array_api_strict") else found


def refuse_numpy(value: Any) -> Any:
    """Raise TypeError for a NumPy array, as CuPy does."""
    if isinstance(value, np.ndarray):
        raise TypeError("Unsupported type <class 'numpy.ndarray'>")
    return value


def indices(key: Any) -> Any:
    """Return a key whose arrays are the device's."""
    if isinstance(key, tuple):
        return tuple(indices(part) for part in key)
    return values(key) if isinstance(key, Array) else refuse_numpy(key)


def unwrapped(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return type(value)(unwrapped(part) for part in value)
    return value.strict if isinstance(value, Array) else refuse_numpy(value)


def opened(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return type(value)(opened(part) for part in value)
    return values(value) if isinstance(value, Array) else refuse_numpy(value)


DIVISIONS = ("__truediv__", "__rtruediv__")
LOGIC = ("__and__", "__rand__", "__or__", "__ror__")


def _operator(name: str) -> Callable[[Array, Any], Any]:
    def method(self: Array, other: Any) -> Any:
        kinds = {part.dtype.kind for part in (self, other) if isinstance(part, Array)}
        if (
            len(kinds) > 1
            or (kinds != {"f"} and (isinstance(other, float) or name in DIVISIONS))
            or (kinds == {"b"} and name not in LOGIC)
        ):
            return wrap(getattr(values(self), name)(opened(other)))
        return wrap(getattr(self.strict, name)(unwrapped(other)))

    return method


for _name in ("add", "sub", "mul", "truediv", "mod", "pow", "and", "or"):
    setattr(Array, f"__{_name}__", _operator(f"__{_name}__"))
    setattr(Array, f"__r{_name}__", _operator(f"__r{_name}__"))
for _name in ("eq", "ne", "lt", "le", "gt", "ge"):
    setattr(Array, f"__{_name}__", _operator(f"__{_name}__"))


RENAMED = {
    "arcsin": "asin",
    "arccos": "acos",
    "arctan": "atan",
    "arcsinh": "asinh",
    "arccosh": "acosh",
    "arctanh": "atanh",
    "arctan2": "atan2",
    "concatenate": "concat",
    "power": "pow",
    "mod": "remainder",
    "transpose": "permute_dims",
    "fix": "trunc",
}
"""NumPy's and CuPy's name of what the standard calls otherwise."""
NOT_FUNCTIONS = {"inf", "nan", "pi", "e", "newaxis"}


MAKERS = {"arange", "asarray", "empty", "eye", "full", "linspace", "ones", "zeros"}


class Library:
    """The namespace: the standard, and BEYOND it."""

    def __init__(self) -> None:
        self.fell_back: set[str] = set()
        """Standard functions that had to take operands of different kinds."""

    def __getattr__(self, name: str) -> Any:
        if name == "add":
            return Add(self)
        if name == "linalg":
            return Linalg()
        known = RENAMED.get(name, name)
        if name in NOT_FUNCTIONS:
            return getattr(np, name)
        if not hasattr(standard, known) and name not in BEYOND:
            raise Beyond(
                f"xp.{name} is neither in the array API standard nor on the list of what CuPy has besides"
            )
        return lambda *args, **options: self.call(name, known, args, options)

    def call(self, name: str, known: str, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
        """Call the standard's function if it takes the operands, else NumPy's function of that
        name, without keywords that CuPy lacks.
        """
        function = getattr(standard, known, None)
        taken = set(inspect.signature(function).parameters) if function is not None else set()
        unknown = options.keys() - taken - set(BEYOND.get(name, ()))
        if unknown:
            raise Beyond(
                f"xp.{name}: neither the standard nor CuPy knows the keyword {sorted(unknown)}"
            )
        numpy_options = {key: opened(value) for key, value in options.items()}
        if function is not None and not options.keys() - taken:
            try:
                return wrap(
                    function(
                        *map(unwrapped, args),
                        **{key: strict_option(key, value) for key, value in options.items()},
                    )
                )
            except TypeError as error:
                if "Unsupported type" in str(error):
                    raise
            except ValueError:
                if name != "take":  # CuPy's takes indices of any shape
                    raise
        self.check_first(name, args)
        self.fell_back.add(name)
        return wrap(getattr(np, name)(*map(opened, args), **numpy_options))

    @staticmethod
    def check_first(name: str, args: tuple[Any, ...]) -> None:
        """Check that the first argument is the library's own array, or a sequence of them. CuPy
        requires that of all functions except ufuncs and those that make arrays.
        """
        if args and not isinstance(getattr(np, name), np.ufunc) and name not in MAKERS:
            first = args[0] if isinstance(args[0], (list, tuple)) else args[:1]
            if not all(isinstance(part, Array) for part in first):
                raise TypeError(
                    f"xp.{name} was given {type(first[0]).__name__} where CuPy takes its own arrays only"
                )


class Linalg:
    """`linalg`: the standard's functions, which CuPy has too."""

    def __getattr__(self, name: str) -> Any:
        function = getattr(standard.linalg, name)

        def called(*args: Any) -> Any:
            found = function(*map(unwrapped, args))
            return tuple(map(wrap, found)) if isinstance(found, tuple) else wrap(found)

        return called


def strict_option(key: str, value: Any) -> Any:
    """Return a keyword's value in the form that the standard takes: its own dtypes."""
    return (
        getattr(standard, np.dtype(value).name)
        if key == "dtype" and value is not None
        else unwrapped(value)
    )


ADDED = ("int32", "float16", "float32", "float64", "uint32", "uint64")
"""What CuPy 13 adds up at places named several times; 14 has int64, too."""


class Add:
    """`xp.add`, which in CuPy is also `xp.add.at`."""

    def __init__(self, library: Library) -> None:
        self.library = library

    def __call__(self, x: Any, y: Any) -> Any:
        return self.library.call("add", "add", (x, y), {})

    def at(self, target: Array, key: Any, added: Any) -> None:
        if target.dtype.name not in ADDED:
            raise TypeError(f"cupy.add.at only supports {', '.join(ADDED)}, as data type")
        held = values(target).copy()
        np.add.at(held, indices(key), opened(added))
        target.strict[...] = standard.asarray(held)


def provider(
    compiler: Callable[[devices.Device], devices.Compile] | None = None,
) -> devices.Namespace:
    """Return this library as a device's array library."""
    library = Library()
    return devices.Namespace(
        lambda device: library,
        lambda raw: np.array(values(raw)),
        lambda array, device: Array(standard.asarray(np.array(array))),
        compiler,
    )


@contextmanager
def strict_device() -> Iterator[devices.Device]:
    """Provide a device type `strict` with this library while open."""
    with devices.namespace("strict", provider()):
        yield devices.Device("strict")
