"""Nonlinearities by name, with the derivative that theory needs."""

from __future__ import annotations

import numpy as np
import pytest

from initlab.engine import nd
from initlab.engine.errors import OptionError
from initlab.runner.theory.activations import ACTIVATIONS, nonlinearity

Z = np.array([-2.3, -0.7, 0.4, 1.9])


@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
def test_a_slope_is_that_of_finite_differences(name):
    one, step = nonlinearity(name), 1e-6
    numeric = (one.value(Z + step) - one.value(Z - step)) / (2 * step)
    np.testing.assert_allclose(one.slope(Z), numeric, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("name", ["relu", "tanh", "sigmoid", "softsign", "gelu", "selu"])
def test_a_value_is_that_of_the_layer_of_this_name(name):
    np.testing.assert_allclose(
        nonlinearity(name).value(Z),
        getattr(nd, name)(nd.array(Z, dtype="float64")).asnumpy(),
        rtol=1e-9,
        atol=1e-12,
    )


def test_an_unknown_name_is_refused_with_the_nearest_one():
    with pytest.raises(OptionError, match="did you mean 'tanh'"):
        nonlinearity("tahn")
