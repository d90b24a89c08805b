"""Closed forms by name, as the claims of a config use them: `{form: gain, activation: tanh}`.

A form is a function that gives one number, marked `@closed_form`; its arguments are the function's.
Every module of this folder is found, and a plugin can define more.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable
from typing import Any, TypeVar

from initlab.engine.errors import OptionError
from initlab.engine.registry import Registry, advice

Form = TypeVar("Form", bound=Callable[..., float])
FORMS: Registry[Callable[..., float]] = Registry("closed form")


def closed_form(function: Form) -> Form:
    """A decorator that makes a function a closed form under its name. Its arguments are annotated
    as `float`, `int` or `str`.
    """
    return FORMS.add(function.__name__, function)  # type: ignore[return-value]


def form(name: str) -> Callable[..., float]:
    """The closed form of a name. OptionError with the nearest."""
    if name not in FORMS:
        raise OptionError("form", f"no closed form '{name}' - {advice(name, FORMS)}")
    return FORMS.get(name)


def check(name: str, arguments: dict[str, Any]) -> None:
    """OptionError for an argument that a form does not take, lacks, or takes as another type."""
    function = form(name)
    known = inspect.signature(function).parameters
    hints = typing.get_type_hints(function)
    for argument in arguments:
        if argument not in known:
            raise OptionError(argument, f"is nothing that {name} takes - {advice(argument, known)}")
    for argument, parameter in known.items():
        if argument not in arguments:
            if parameter.default is parameter.empty:
                raise OptionError(argument, f"is missing - {name} needs it")
            continue
        value, hint = arguments[argument], hints[argument]
        whole = isinstance(value, int) and not isinstance(value, bool)
        sound = (
            isinstance(value, str)
            if hint is str
            else whole or (hint is float and isinstance(value, float))
        )
        if not sound:
            what = {str: "a name", int: "a whole number", float: "a number"}[hint]
            raise OptionError(argument, f"must be {what}, got {value!r}")


def evaluate(name: str, arguments: dict[str, Any]) -> float:
    """The value of a form. OptionError for arguments that are wrong or outside its domain."""
    check(name, arguments)
    return float(form(name)(**arguments))
