"""Closed forms by name, as used in the claims of a config: `{form: gain, activation: tanh}`.

A form is a function that returns one number and has the decorator `@closed_form`. Every module of
this folder is imported, and a plugin can define more forms.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Mapping
from typing import TypeVar

from initlab.engine.errors import OptionError
from initlab.engine.options import Rule, whole
from initlab.engine.registry import Registry, advice

Form = TypeVar("Form", bound=Callable[..., float])
TYPES = {
    str: Rule("be a name", lambda value: isinstance(value, str)),
    int: whole(None),
    float: Rule("be a number", lambda value: isinstance(value, float) or whole(None).fits(value)),
}
"""The types that an argument of a form may have."""
ARGUMENTS = {
    "activation": "The activation, by its name in a layer.",
    "bias_variance": "The variance of biases.",
    "branch": "What a branch is like: normalized, scaled or plain.",
    "branches": "The number of branches.",
    "c": "The correlation.",
    "columns": "The columns of the matrix.",
    "depth": "The number of layers.",
    "fan_in": "The inputs of a unit.",
    "fan_out": "The outputs of a unit.",
    "fraction": "The part of the strength that is reached.",
    "layers": "The number of layers.",
    "n": "The rows of the matrix.",
    "network": "linear or relu.",
    "q": "The variance of pre-activations.",
    "q1": "The variance of u.",
    "q2": "The variance of v.",
    "ratio": "The shorter side over the longer, above 0 and not above 1.",
    "rows": "The rows of the matrix.",
    "scale": "A factor of all weights.",
    "slope": "The slope of leaky relu below 0; 0 for relu.",
    "start": "The strength at time 0.",
    "strength": "The strength of the teacher's mode.",
    "time": "The time, of gradient flow with rate 1.",
    "value": "A number.",
    "variance": "The variance.",
    "weight_variance": "The variance of weights times fan_in.",
    "weights": "gaussian or orthogonal.",
    "width": "The units of the layer.",
}
"""What an argument of that name means in every form of ours."""
FORMS: Registry[Callable[..., float]] = Registry("closed form", __package__)


def closed_form(function: Form) -> Form:
    """Register a function as a closed form under its name (a decorator).

    Its arguments must be annotated as `float`, `int` or `str`.
    """
    return FORMS.add(function.__name__, function)  # type: ignore[return-value]


def form(name: str) -> Callable[..., float]:
    """Return the closed form of that name. Raises OptionError, with the nearest name, if it is
    unknown.
    """
    if name not in FORMS:
        said = f"no closed form '{name}' - {advice(name, FORMS)}"
        raise OptionError("form", said, unknown=True)
    return FORMS.get(name)


def check(name: str, arguments: Mapping[str, object]) -> None:
    """Raise OptionError if an argument of a form is unknown, missing or of another type."""
    function = form(name)
    known = inspect.signature(function).parameters
    hints = typing.get_type_hints(function)
    for argument in arguments:
        if argument not in known:
            said = f"is no argument of {name} - {advice(argument, known)}"
            raise OptionError(argument, said, unknown=True)
    for argument, parameter in known.items():
        if argument not in arguments:
            if parameter.default is parameter.empty:
                raise OptionError(argument, f"is missing - {name} needs it")
            continue
        TYPES[hints[argument]](argument, arguments[argument])


def evaluate(name: str, arguments: Mapping[str, object]) -> float:
    """Return the value of a form.

    Raises OptionError for wrong arguments or values outside its domain.
    """
    check(name, arguments)
    return float(form(name)(**arguments))
