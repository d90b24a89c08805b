"""Spectra of random matrices and Jacobians, against brute force."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from initlab.runner.theory import spectra


def generator(seed: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(seed))


@pytest.mark.parametrize("ratio", [0.01, 0.25, 0.7, 1.0])
def test_the_cdf_is_the_integral_of_the_density(ratio):
    a, b = spectra.marchenko_pastur_low(ratio), spectra.marchenko_pastur_high(ratio)
    count = 20_000
    angle = (np.arange(count) + 0.5) * math.pi / count
    x = (a + b) / 2 - (b - a) / 2 * np.cos(angle)
    slices = (
        spectra.marchenko_pastur_density(x, ratio) * (b - a) / 2 * np.sin(angle) * math.pi / count
    )
    total = np.cumsum(slices)
    assert total[-1] == pytest.approx(1, abs=1e-5)
    assert spectra.marchenko_pastur_cdf(x, ratio) == pytest.approx(total - slices / 2, abs=2e-5)


@given(st.floats(0.001, 1), st.floats(0, 5), st.floats(0, 5))
def test_a_cdf_rises_from_0_to_1(ratio, x, y):
    low, high = spectra.marchenko_pastur_cdf(np.sort([x, y]), ratio)
    assert 0 <= low <= high + 1e-12 <= 1 + 1e-12
    assert spectra.marchenko_pastur_cdf(np.array([spectra.marchenko_pastur_high(ratio)]), ratio)[
        0
    ] == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(("rows", "columns"), [(400, 100), (300, 300), (100, 400)])
def test_a_random_matrix_has_that_spectrum(rows, columns):
    singular = np.linalg.svd(generator(3).normal(size=(rows, columns)), compute_uv=False)
    long, short = max(rows, columns), min(rows, columns)
    x = np.sort(singular**2 / long)
    cdf = spectra.marchenko_pastur_cdf(x, short / long)
    assert np.abs(cdf - (np.arange(short) + 0.5) / short).max() < 3 / short
    assert singular.mean() == pytest.approx(
        spectra.mean_singular_value(rows, columns, 1.0), rel=0.005
    )


def test_glorots_two_layer_jacobians():
    n = 1000
    assert spectra.mean_singular_value(n, n, 1 / (3 * n)) == pytest.approx(0.4901, abs=6e-5)
    assert spectra.mean_singular_value(n, n, 1 / n) == pytest.approx(8 / (3 * math.pi), rel=1e-6)


@pytest.mark.parametrize("weights", spectra.WEIGHTS)
@pytest.mark.parametrize("network", spectra.NETWORKS)
@pytest.mark.parametrize("depth", [1, 3])
def test_jacobians_spread_as_a_product_of_matrices_does(weights, network, depth):
    n, found = 200, []
    for seed in range(12):
        draw = generator(1000 + seed)
        product = np.eye(n)
        for _ in range(depth):
            w = draw.normal(size=(n, n)) / math.sqrt(n)
            if weights == "orthogonal":
                q, r = np.linalg.qr(w)
                w = q * np.sign(np.diag(r))
            d = (draw.random(n) < 0.5) if network == "relu" else np.ones(n)
            product = d[:, None] * (w @ product)
        values = np.linalg.svd(product, compute_uv=False) ** 2
        found.append(values.var() / values.mean() ** 2)
    error = np.std(found) / math.sqrt(len(found)) + 3 * depth / n
    assert abs(np.mean(found) - spectra.jacobian_variance(weights, network, depth)) < 5 * error


def test_traces_of_haar_matrices():
    traces = []
    for seed in range(4000):
        q, r = np.linalg.qr(generator(seed).normal(size=(5, 5)))
        q = q * np.sign(np.diag(r))
        traces.append((np.trace(q), np.trace(q) ** 2, np.trace(q @ q)))
    mean, error = np.mean(traces, 0), np.std(traces, 0) / math.sqrt(len(traces))
    exact = [
        spectra.haar_trace(5),
        spectra.haar_square_of_trace(5),
        spectra.haar_trace_of_square(5),
    ]
    assert (np.abs(mean - exact) < 5 * error).all()
