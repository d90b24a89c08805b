"""The decorator that declares functions of `nd`.

A declared function checks that its arrays are NDArrays, accepts `out=` and `name=`, and is found by
its names in OPERATORS. `name` is MXNet's name of a graph node; it has no effect here.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from initlab.engine import autograd
from initlab.engine.errors import MXNetError
from initlab.engine.nd.ndarray import NDArray
from initlab.engine.nd.unknown import inferred, is_inferring
from initlab.engine.ops import elementwise
from initlab.engine.tape import live_node

R = TypeVar("R")
OPERATORS: dict[str, Callable[..., Any]] = {}
"""Every declared function of `nd` by name, including aliases."""


def deliver(result: R, out: Any) -> R:
    """Return the result, or write it into `out` and return `out`.

    `out` is an array of the same shape and dtype, or a list of them for several results. Raises
    MXNetError if it does not fit.
    """
    if out is None:
        return result
    _write(result, out)
    given: R = out
    return given


def _write(result: Any, out: Any) -> None:
    if isinstance(result, (list, tuple)):
        for one, target in zip(result, out, strict=True):
            _write(one, target)
        return
    autograd.check_writable(out)
    for found, wanted in ((out.shape, result.shape), (out._raw.dtype, result._raw.dtype)):
        if found != wanted:
            raise MXNetError.checked(
                "Check failed: assign(&dattr, vec.at(i)): Incompatible attr in node  at 0-th "
                f"output: expected {_said(wanted)}, "
                f"got {_said(found)}"
            )
    out._raw[...] = result._raw
    if autograd.is_recording():
        out._node = result._node


def _recorded(result: R, args: Sequence[object]) -> R:
    """Return the result with every array on the tape, if one of the arguments is: what does not
    follow them smoothly, such as an order or a shape, has the gradient 0, as in MXNet.
    """
    inputs = [a for a in args if isinstance(a, NDArray) and live_node(a) is not None]
    if not inputs:
        return result

    def on_tape(found: Any) -> Any:
        if isinstance(found, (list, tuple)):
            return type(found)(on_tape(one) for one in found)
        if not isinstance(found, NDArray) or found._node is not None:
            return found
        return elementwise.constant(*inputs, value=found._raw)

    made: R = on_tape(result)
    return made


def _said(value: object) -> str:
    return "[" + ",".join(str(n) for n in value) + "]" if isinstance(value, tuple) else str(value)


def check_array(value: object, name: str) -> None:
    """Raise AssertionError, in MXNet's words, unless `value` is an NDArray."""
    if not isinstance(value, NDArray):
        raise AssertionError(f"Argument {name} must have NDArray type, but got {value}")


def _annotated(function: Callable[..., object], annotation: str) -> tuple[tuple[int, str], ...]:
    """Return (place, name) of each parameter with this annotation.

    `inspect.signature` would take a tenth of a millisecond for each of 200 functions.
    """
    code, given = function.__code__, function.__annotations__
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    return tuple((i, name) for i, name in enumerate(names) if given.get(name) == annotation)


def operator(
    *names: str, among: dict[str, Callable[..., Any]] = OPERATORS
) -> Callable[[Callable[..., R]], Callable[..., R]]:
    """Declare a function of `nd`, or of the namespace whose functions are `among`, under one or more
    names.

    The declared function raises AssertionError if an argument whose parameter is annotated
    `NDArray` is something else, and TypeError for an unknown argument.
    """

    def declare(function: Callable[..., R]) -> Callable[..., R]:
        several = bool(function.__code__.co_flags & inspect.CO_VARARGS)
        places = () if several else _annotated(function, "NDArray")
        optional = () if several else _annotated(function, "NDArray | None")

        @functools.wraps(function)
        def applied(
            *args: object, out: object = None, name: str | None = None, **options: object
        ) -> R:
            if several:
                for value in args:
                    if not isinstance(value, NDArray):
                        raise AssertionError(
                            f"Positional arguments must have NDArray type, but got {value}"
                        )
            for i, argument in places:
                if i < len(args):
                    check_array(args[i], argument)
                elif argument in options:
                    check_array(options[argument], argument)
            for i, argument in optional:
                given = args[i] if i < len(args) else options.get(argument)
                if given is not None:
                    check_array(given, argument)
            if is_inferring():
                stands: Any = inferred(names[0], function, args, options)
                if stands is not None:
                    unknown: R = stands
                    return unknown
            result = function(*args, **options)
            if autograd.is_recording():
                result = _recorded(result, [*args, *options.values()])
            return deliver(result, out)

        applied.__name__ = applied.__qualname__ = names[0]
        if among is OPERATORS:  # where it is found under this name; here, names may be others
            applied.__module__ = "initlab.engine.nd"
        among.update(dict.fromkeys(names, applied))
        return applied

    return declare


def chosen(name: str, option: str, value: object, known: tuple[str, ...]) -> None:
    """Raise MXNetError, in MXNet's words, unless `value` is one of the `known` values of `option`."""
    if value not in known:
        listed = ", ".join(f"'{k}'" for k in sorted(known))
        raise MXNetError.checked(
            f"Invalid Input: '{value}', valid values are: {{{listed}}}, in operator "
            f'{name}({option}="{value}")'
        )


def axes_tuple(value: int | Sequence[int]) -> tuple[int, ...]:
    """Return a number, or a sequence of numbers, as a tuple."""
    return (
        (int(value),)
        if isinstance(value, int) or hasattr(value, "__index__")
        else tuple(int(v) for v in value)
    )


def checked_axis(axis: int, ndim: int) -> int:
    """Return an axis as a number >= 0. Raises MXNetError if the array has no such axis."""
    if not -ndim <= axis < ndim:
        raise MXNetError.checked(
            f"Check failed: axis < ndim && axis >= -ndim: axis {axis} exceeds the input "
            f"dimension of {ndim}"
        )
    return axis % ndim
