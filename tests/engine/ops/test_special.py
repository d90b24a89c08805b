"""Functions that the array library does not have, against the standard library's in float64."""

from __future__ import annotations

import math

import numpy as np
import op_checks
import pytest

from initlab.engine import nd

POINTS = np.concatenate([np.linspace(-9.7, 9.7, 98), [1e-8, 0.5, 30.5, 170.5]])


def of(name, values, dtype="float64"):
    return getattr(nd, name)(nd.array(values, dtype=dtype)).asnumpy()


def test_gamma_and_its_logarithm_are_right_to_twelve_digits():
    np.testing.assert_allclose(of("gamma", POINTS), [math.gamma(x) for x in POINTS], rtol=1e-11)
    np.testing.assert_allclose(
        of("gammaln", POINTS), [math.lgamma(x) for x in POINTS], rtol=1e-11, atol=1e-12
    )


def test_gamma_at_its_poles_and_where_it_overflows_is_as_mxnets():
    assert np.array_equal(
        of("gamma", [0.0, -1.0, -2.0, 40.0, 171.0], "float32"),
        np.float32([np.inf, np.nan, np.nan, np.inf, np.inf]),
        True,
    )
    assert of("gammaln", [0.0, -1.0], "float32").tolist() == [np.inf, np.inf]


def test_the_inverse_error_function_undoes_the_error_function():
    x = np.linspace(-0.999, 0.999, 101)
    np.testing.assert_allclose([math.erf(y) for y in of("erfinv", x)], x, atol=1e-14)
    ends = of("erfinv", [1.0, -1.0, 2.0])
    assert ends[:2].tolist() == [np.inf, -np.inf]
    assert np.isnan(ends[2])


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("degrees", math.degrees),
        ("radians", math.radians),
        ("cbrt", np.cbrt),
        ("arcsinh", math.asinh),
    ],
)
def test_simple_functions_are_those_of_the_standard_library(name, function):
    np.testing.assert_allclose(of(name, POINTS), [function(x) for x in POINTS], rtol=1e-13)


def test_functions_of_whole_numbers_are_cut_off():
    assert of("exp", [7, -7, 2], "int32").tolist() == [1096, 0, 7]
    assert of("degrees", [1], "int32").tolist() == [57]
    assert of("gamma", [5], "int32").tolist() == [24]


def test_a_gradient_is_that_of_finite_differences(primitive):
    op_checks.check_first_gradient(*primitive)


def test_a_gradients_gradient_is_that_of_finite_differences(primitive):
    op_checks.check_second_gradient(*primitive)


def test_numpy_is_called_through_xp_only(primitive):
    op_checks.check_calls_only_xp(*primitive)


def test_a_primitive_runs_on_what_cupy_has(primitive):
    op_checks.check_on_what_cupy_has(*primitive)
