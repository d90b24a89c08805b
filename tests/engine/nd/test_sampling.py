"""Draws for each element: moments, and that they are those of `nd.random`."""

from __future__ import annotations

import numpy as np
import pytest

from initlab.engine import nd, streams

MEANS = {
    "sample_uniform": ([[0.0, 2.0], [1.0, 6.0]], [0.5, 4.0]),
    "sample_normal": ([[-1.0, 3.0], [0.5, 2.0]], [-1.0, 3.0]),
    "sample_gamma": ([[1.0, 3.0], [2.0, 0.5]], [2.0, 1.5]),
    "sample_exponential": ([[0.5, 4.0]], [2.0, 0.25]),
    "sample_poisson": ([[1.0, 9.0]], [1.0, 9.0]),
    "sample_negative_binomial": ([[2.0, 5.0], [0.5, 0.2]], [2.0, 20.0]),
    "sample_generalized_negative_binomial": ([[2.0, 4.0], [0.3, 0.1]], [2.0, 4.0]),
}
"""Parameters, and the mean for each."""


@pytest.mark.parametrize("name", MEANS)
def test_a_mean_is_that_of_its_parameters(name):
    streams.seed(3)
    parameters, means = MEANS[name]
    drawn = getattr(nd, name)(*map(nd.array, parameters), shape=4000)
    assert drawn.shape == (2, 4000)
    np.testing.assert_allclose(drawn.asnumpy().mean(axis=1), means, rtol=0.1)
    assert getattr(nd, name)(*map(nd.array, parameters)).shape == (2,)


def test_a_number_is_no_array():
    with pytest.raises(AssertionError, match="Argument sigma must have NDArray type, but got 1.0"):
        nd.sample_normal(nd.array([0.0]), 1.0)


def test_the_parameter_of_an_exponential_distribution_is_its_rate():
    streams.seed(3)
    assert abs(nd.random_exponential(4.0, shape=4000).mean().asscalar() - 0.25) < 0.02
