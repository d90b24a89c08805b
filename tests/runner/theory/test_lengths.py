"""Lengths of activations, against sampling."""

from __future__ import annotations

import math

import numpy as np
import pytest

from initlab.runner.theory import lengths


def generator(seed: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(seed))


@pytest.mark.parametrize("activation", ["linear", "relu"])
@pytest.mark.parametrize("width", [4, 17, 128])
def test_lengths_of_one_layer_are_spread_as_sampled(activation, width):
    g = generator(width).normal(size=(200_000 // width * 8, width))
    s = np.square(np.maximum(g, 0) if activation == "relu" else g).sum(1)
    s = s[s > 0] * 1.7 / width  # weights of variance 1.7 / fan_in, an input of rms 1
    logs = 0.5 * np.log(s)
    error = logs.std() / math.sqrt(len(logs))
    assert abs(logs.mean() - lengths.log_length_ratio(width, 1.7, activation)) < 5 * error
    assert logs.std() == pytest.approx(lengths.log_length_error(width, activation), rel=0.03)
    if width > 8:
        assert s.var() / s.mean() ** 2 == pytest.approx(
            lengths.length_variance(width, activation), rel=0.06
        )


def test_a_mean_logarithm_tends_to_the_logarithm_of_the_mean():
    gap = [lengths.log_length_ratio(n, 2.0) + 5 / (4 * n) for n in (64, 256, 1024)]
    assert abs(gap[2]) < abs(gap[1]) < abs(gap[0]) < 1e-3
    assert lengths.log_length_error(100, layers=25) == pytest.approx(
        lengths.log_length_error(100) / 5
    )


def test_factors_follow_he_et_al():
    assert [lengths.forward_factor(v) for v in (2.0, 1.0, 1 / 3)] == pytest.approx(
        [1, 1 / 2, 1 / 6]
    )
    assert lengths.backward_factor(2.0, 100, 300) == pytest.approx(3)
