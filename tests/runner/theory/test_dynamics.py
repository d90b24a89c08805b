"""Dynamics of deep linear and of sine networks."""

from __future__ import annotations

import math

import numpy as np
import pytest

from initlab.runner.theory import dynamics


def generator(seed: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(seed))


@pytest.mark.parametrize("depth", [2, 4, 16])
def test_deep_linear_learning_takes_as_long_as_the_equation_integrated_step_by_step(depth):
    u, t, step = 0.5, 0.0, 1e-3
    while u < 1.8:
        slope = depth * u ** (2 - 2 / depth) * (2 - u)
        middle = u + step / 2 * slope
        before, u = u, u + step * depth * middle ** (2 - 2 / depth) * (2 - middle)
        t += step
    t -= step * (u - 1.8) / (u - before)  # where between the last two steps it was reached
    assert dynamics.deep_linear_time(depth, 0.5, 2.0) == pytest.approx(t, abs=2e-5)
    assert dynamics.deep_linear_strength(depth, 0.5, 2.0, t) == pytest.approx(1.8, abs=1e-3)


def test_ever_deeper_linear_networks_have_a_limit():
    assert dynamics.deep_linear_limit(0.5, 2.0) == pytest.approx(1.5462, abs=6e-5)
    assert 1e5 * dynamics.deep_linear_time(100_000, 0.5, 2.0) == pytest.approx(1.5462, abs=1e-4)


def test_the_sine_networks_fixed_point():
    s = dynamics.siren_variance()
    assert s == pytest.approx(1 - math.exp(-2 * s), abs=1e-14)
    assert dynamics.siren_std() == pytest.approx(0.8926, abs=6e-5)
    z = generator(4).normal(size=400_000) * math.sqrt(s)
    assert np.mean(np.sin(z) ** 2) == pytest.approx(dynamics.sine_mean_square(s), abs=0.003)
    assert dynamics.siren_variance(0.5) == 0
