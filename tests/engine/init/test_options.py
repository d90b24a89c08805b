from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from initlab.engine import init
from initlab.engine.errors import OptionError

NO_NUMBERS = [True, math.nan, math.inf, -math.inf, "0.1", None, [1.0], 1j, Fraction(1, 10)]
NO_NUMBERS += [np.longdouble(0.1)] if np.longdouble is not np.float64 else []


REQUIRED = {"positive": [0, -1, -0.5], "not_negative": [-1, -1e-30], "finite": []}


def refuses(make, option, value):
    with pytest.raises(OptionError) as caught:
        make(**{option: value})
    assert caught.value.option == option
    assert isinstance(caught.value, ValueError)
    return caught.value.problem


@pytest.mark.parametrize(
    ("make", "option", "kind"),
    [
        (init.Uniform, "scale", "not_negative"),
        (init.Normal, "sigma", "positive"),
        (init.TruncatedNormal, "std", "positive"),
        (init.TruncatedNormal, "low", "finite"),
        (init.TruncatedNormal, "high", "finite"),
        (init.TruncatedNormal, "mean", "finite"),
        (init.VarianceScaling, "scale", "positive"),
        (init.Xavier, "magnitude", "positive"),
        (init.MSRAPrelu, "slope", "finite"),
        (init.He, "slope", "finite"),
        (init.Haar, "scale", "positive"),
        (init.DeltaOrthogonal, "scale", "positive"),
        (init.Identity, "gain", "finite"),
        (init.ResidualScaled, "std", "positive"),
    ],
)
def test_an_option_that_is_a_number_refuses_what_is_none_and_what_is_out_of_range(
    make, option, kind
):
    for value in [*NO_NUMBERS, *REQUIRED[kind]]:
        assert f"got {value!r}" in refuses(make, option, value)


@pytest.mark.parametrize(
    ("make", "option", "wrong", "meant"),
    [
        (init.TruncatedNormal, "std_is", "befor", "before"),
        (init.VarianceScaling, "mode", "fan_avg", None),
        (init.VarianceScaling, "mode", "inn", "in"),
        (init.VarianceScaling, "distribution", "truncated-normal", "truncated_normal"),
        (init.VarianceScaling, "fans", "role", "roles"),
        (init.He, "mode", "outt", "out"),
        (init.He, "distribution", "norml", "normal"),
        (init.Lecun, "distribution", "unifrom", "uniform"),
        (init.Xavier, "rnd_type", "gausian", "gaussian"),
        (init.Xavier, "factor_type", "geo", None),
        (init.MSRAPrelu, "factor_type", "avgg", "avg"),
        (init.Xavier, "fans", "shapes", "shape"),
    ],
)
def test_a_wrong_choice_is_answered_with_the_nearest_and_the_known(make, option, wrong, meant):
    problem = refuses(make, option, wrong)
    assert f"cannot be '{wrong}'" in problem
    assert "Known: " in problem
    assert meant is None or f"did you mean '{meant}'?" in problem


@pytest.mark.parametrize("value", [0, -1, 1.5, 2.0, True, "3"])
def test_layers_must_be_a_positive_whole_number(value):
    assert "must be a whole number of at least 1" in refuses(init.ResidualScaled, "layers", value)


@pytest.mark.parametrize("value", [1, 0, "true", None])
def test_exact_must_be_true_or_false(value):
    assert "must be true or false" in refuses(init.Haar, "exact", value)
    assert "must be true or false" in refuses(init.DeltaOrthogonal, "exact", value)


def test_the_message_of_a_negative_sigma_reads_as_a_sentence():
    with pytest.raises(ValueError, match="^sigma must be a positive number, got -1$"):
        init.Normal(-1)


def test_bounds_must_be_in_order():
    assert "must be less than high, got 2 and -2" in refuses(
        lambda low: init.TruncatedNormal(low=low, high=-2), "low", 2
    )


def test_bounds_must_leave_something_of_the_normal():
    assert "leave nothing of the normal" in refuses(
        lambda low: init.TruncatedNormal(low=low, high=31), "low", 30
    )


def test_numbers_of_numpy_become_numbers_of_python():
    made = init.Normal(np.float32(0.5))
    assert type(made.sigma) is float
    assert made.dumps() == '["normal", {"sigma": 0.5}]'
    assert type(init.ResidualScaled(layers=np.int64(3)).layers) is int


def test_positions_are_those_of_gluon():
    assert init.Normal(0.5).sigma == 0.5
    assert init.Uniform(0.5).scale == 0.5
    assert init.Constant(2).value == 2
    xavier = init.Xavier("gaussian", "in", 2)
    assert (xavier.rnd_type, xavier.factor_type, xavier.magnitude) == ("gaussian", "in", 2)
    assert init.MSRAPrelu("out", 0.5)._kwargs == {"factor_type": "out", "slope": 0.5}


@pytest.mark.parametrize(
    ("kind", "options", "option"),
    [
        ("siren", {"w0": 0}, "w0"),
        ("siren", {"first": "x"}, "first"),
        ("siren", {"first": ["("]}, "first[0]"),
        ("icnr", {"upscale": 0}, "upscale"),
        ("icnr", {"init": "hee"}, "init"),
        ("fixup", {"branches": 0}, "branches"),
        ("fixup", {"layers": 1.5}, "layers"),
        ("t_fixup", {"layers": 0}, "layers"),
        ("deepnorm", {"layers": 0}, "layers"),
        ("mup", {"base": 0}, "base"),
        ("mup", {"optimizer": "adagrad"}, "optimizer"),
        ("mup", {"scale": -1}, "scale"),
        ("lsuv", {"tolerance": 0}, "tolerance"),
        ("lsuv", {"iterations": 0}, "iterations"),
    ],
)
def test_an_invalid_option_is_named(kind, options, option):
    with pytest.raises(OptionError) as refused:
        init.by_name(kind)(**options)
    assert refused.value.option == option


@pytest.mark.parametrize("make", [init.He, init.MSRAPrelu])
@pytest.mark.parametrize("slope", [1e154, -1e200, 1e308])
def test_a_slope_whose_square_is_beyond_all_floats_is_refused(make, slope):
    assert refuses(make, "slope", slope).startswith("must be a number whose square is finite")


@pytest.mark.parametrize(
    ("make", "option"),
    [(init.He, "slope"), (init.MSRAPrelu, "slope"), (init.TruncatedNormal, "low")],
)
def test_a_whole_number_beyond_all_floats_is_refused(make, option):
    said = refuses(make, option, 10**400)
    assert said == "must be a finite number, got one of 401 digits"
