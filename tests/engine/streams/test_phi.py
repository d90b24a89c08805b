"""Bounds and corrections come out of decimal arithmetic, so they are exact wherever float64 would
cancel.
"""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest

from initlab.engine import streams


@pytest.mark.parametrize("x", [0.0, 0.5, 1.0, 1.96, 2.0, 3.0, 5.0, 9.0, 40.0, np.inf])
def test_phi_words_are_rounded_from_the_distribution_function_and_symmetric(x):
    assert abs(NormalDist().cdf(x) * 2**32 - streams.phi_word(x)) <= 0.51
    assert streams.phi_word(x) + streams.phi_word(-x) == 2**32


def test_numpys_numbers_come_to_the_same_words():
    assert (
        streams.phi_word(np.float32(0.5))
        == streams.phi_word(np.float64(0.5))
        == streams.phi_word(0.5)
    )


def by_quadrature(low: float, high: float) -> tuple[float, float, float]:
    """(mean, deviation, excess kurtosis) by Gauss and Legendre, about the mean, so that nothing
    cancels.
    """
    low, high = max(low, -12.0), min(high, max(low, 0) + 12.0)
    nodes, weights = np.polynomial.legendre.leggauss(200)
    z = (high + low) / 2 + (high - low) / 2 * nodes
    nearest = min(max(0.0, low), high)
    density = weights * np.exp((nearest**2 - z**2) / 2)
    density /= density.sum()
    mean = (density * z).sum()
    variance = (density * (z - mean) ** 2).sum()
    return mean, math.sqrt(variance), (density * (z - mean) ** 4).sum() / variance**2 - 3


@pytest.mark.parametrize(
    ("low", "high"),
    [
        (-2, 2),
        (-1, 1),
        (-0.5, math.inf),
        (-math.inf, 0.3),
        (1, 1 + 1e-3),
        (5.5, math.inf),
        (-6, -5),
        (-math.inf, math.inf),
        (-9.5, 9.9),
    ],
)
def test_moments_after_a_cut_are_those_of_the_density(low, high):
    assert streams.truncated_moments(low, high) == pytest.approx(
        by_quadrature(low, high), rel=1e-7, abs=1e-9
    )


def test_between_close_bounds_a_normal_is_uniform():
    mean, std, kurtosis = streams.truncated_moments(1.0, 1.0 + 2.0**-27)
    assert mean == pytest.approx(1 + 2.0**-28, abs=1e-16)
    assert std == pytest.approx(2.0**-27 / math.sqrt(12), rel=1e-12)
    assert kurtosis == pytest.approx(-1.2, rel=1e-12)
