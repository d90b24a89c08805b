"""Closed forms by name, and arguments that cannot be."""

from __future__ import annotations

import math

import pytest

from initlab.engine.errors import OptionError
from initlab.runner.theory import forms


def test_every_form_can_be_called_by_name_and_gives_what_its_function_gives():
    assert forms.evaluate("gain", {"activation": "tanh"}) == pytest.approx(1.592537, abs=1e-6)
    assert forms.evaluate("log", {"value": 2}) == pytest.approx(math.log(2))
    assert all(function.__doc__ for function in forms.FORMS.entries().values())
    assert all(
        name == function.__name__.lstrip("_") for name, function in forms.FORMS.entries().items()
    )


@pytest.mark.parametrize(
    ("name", "arguments", "option", "said"),
    [
        ("gian", {}, "form", "no closed form 'gian' - did you mean 'gain'"),
        ("gain", {}, "activation", "is missing - gain needs it"),
        (
            "gain",
            {"activaton": "relu"},
            "activaton",
            "is no argument of gain - did you mean 'activation'",
        ),
        ("gain", {"activation": 3}, "activation", "must be a name, got 3"),
        (
            "chi1",
            {"activation": "tanh", "weight_variance": "1"},
            "weight_variance",
            "must be a number, got '1'",
        ),
        (
            "chi1",
            {"activation": "tanh", "weight_variance": True},
            "weight_variance",
            "must be a number, got True",
        ),
        ("haar_trace", {"n": 2.5}, "n", "must be a whole number, got 2.5"),
        ("haar_trace_of_square", {"n": 1}, "n", "must be a whole number of at least 2, got 1"),
        ("length_variance", {"width": 0}, "width", "must be a whole number of at least 1, got 0"),
        ("length_variance", {"width": 5, "activation": "tanh"}, "activation", "cannot be 'tanh'"),
        ("marchenko_pastur_low", {"ratio": 1.5}, "ratio", "not above 1"),
        (
            "deep_linear_time",
            {"depth": 4, "start": 1.9, "strength": 2.0},
            "start",
            "must lie below 0.9 of the strength",
        ),
        (
            "jacobian_variance",
            {"weights": "haar", "network": "relu", "depth": 2},
            "weights",
            "cannot be 'haar'",
        ),
        ("residual_growth", {"branch": "plian", "branches": 3}, "branch", "did you mean 'plain'"),
        ("fixup_power", {"layers": 1}, "layers", "must be a whole number of at least 2"),
        ("log", {"value": 0}, "value", "must be a positive number"),
    ],
)
def test_a_form_that_cannot_be_evaluated_names_the_argument(name, arguments, option, said):
    with pytest.raises(OptionError) as refused:
        forms.evaluate(name, arguments)
    assert refused.value.option == option and said in refused.value.problem
