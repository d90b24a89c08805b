"""Closed forms by name, as the claims of a config use them: `{form: gain, activation: tanh}`.

A form is a function of the modules beside this one that gives one number; its arguments are the
function's.
"""

from __future__ import annotations

import inspect
import math
import typing
from collections.abc import Callable
from typing import Any

from initlab.engine.errors import OptionError
from initlab.engine.registry import advice
from initlab.runner.theory import dynamics, growth, lengths, meanfield, spectra

Form = Callable[..., float]


def _log(value: float) -> float:
    """The natural logarithm of a number."""
    if not value > 0:
        raise OptionError("value", f"must be a number above 0, got {value!r}")
    return math.log(value)


FORMS: dict[str, Form] = {
    f.__name__: f
    for f in (
        meanfield.mean_square,
        meanfield.slope_mean_square,
        meanfield.gain,
        meanfield.mean_product,
        meanfield.relu_correlation,
        meanfield.relu_correlation_after,
        meanfield.variance_map,
        meanfield.variance_after,
        meanfield.correlation_map,
        meanfield.correlation_after,
        meanfield.fixed_point_variance,
        meanfield.fixed_point_correlation,
        meanfield.chi1,
        meanfield.critical_weight_variance,
        meanfield.depth_scale_correlation,
        meanfield.depth_scale_variance,
        lengths.length_variance,
        lengths.log_length_ratio,
        lengths.log_length_error,
        lengths.forward_factor,
        lengths.backward_factor,
        spectra.marchenko_pastur_low,
        spectra.marchenko_pastur_high,
        spectra.mean_singular_value,
        spectra.jacobian_variance,
        spectra.jacobian_variance_rate,
        spectra.haar_trace,
        spectra.haar_trace_of_square,
        spectra.haar_square_of_trace,
        growth.residual_growth,
        growth.fixup_power,
        dynamics.deep_linear_time,
        dynamics.deep_linear_limit,
        dynamics.deep_linear_strength,
        dynamics.siren_variance,
        dynamics.siren_std,
        dynamics.sine_mean_square,
    )
} | {"log": _log}
"""Name -> function."""


def form(name: str) -> Form:
    """The closed form of a name. OptionError with the nearest."""
    if name not in FORMS:
        raise OptionError("form", f"no closed form '{name}' - {advice(name, FORMS)}")
    return FORMS[name]


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
    return float(FORMS[name](**arguments))
