"""Means over Gaussian numbers, against closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest

from initlab.runner.theory.gaussian import mean, mean_of_product


@pytest.mark.parametrize("q", [0.01, 1.0, 30.0])
def test_means_are_the_moments(q):
    assert mean(lambda z: z**2, q) == pytest.approx(q, rel=1e-9)
    assert mean(lambda z: z**4, q) == pytest.approx(3 * q * q, rel=1e-8)
    assert mean(lambda z: np.maximum(z, 0) ** 2, q) == pytest.approx(q / 2, rel=1e-9)


@pytest.mark.parametrize("c", [-0.5, 0.0, 0.9])
def test_the_mean_of_a_product_is_the_covariance_and_for_relu_the_arc_cosine_kernel(c):
    assert mean_of_product(lambda z: z, 2.0, 0.5, c) == pytest.approx(c, abs=1e-9)
    kernel = (math.sqrt(1 - c * c) + c * (math.pi - math.acos(c))) / (2 * math.pi)
    found = mean_of_product(lambda z: np.maximum(z, 0), 1.0, 1.0, c)
    assert found == pytest.approx(kernel, abs=1e-6)
