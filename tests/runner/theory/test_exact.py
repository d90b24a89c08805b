"""Lengths, spectra, growth and dynamics, against sampling, brute force and each other."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from initlab.engine.errors import OptionError
from initlab.runner.theory import dynamics, forms, growth, lengths, spectra


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


def test_factors_are_he_s():
    assert [lengths.forward_factor(v) for v in (2.0, 1.0, 1 / 3)] == pytest.approx(
        [1, 1 / 2, 1 / 6]
    )
    assert lengths.backward_factor(2.0, 100, 300) == pytest.approx(3)


@pytest.mark.parametrize("ratio", [0.01, 0.25, 0.7, 1.0])
def test_the_cdf_is_the_integral_of_the_density(ratio):
    a, b = spectra.marchenko_pastur_low(ratio), spectra.marchenko_pastur_high(ratio)
    angle = (np.arange(400_000) + 0.5) * math.pi / 400_000
    x = (a + b) / 2 - (b - a) / 2 * np.cos(angle)
    total = np.cumsum(
        spectra.marchenko_pastur_density(x, ratio) * (b - a) / 2 * np.sin(angle) * math.pi / 400_000
    )
    assert total[-1] == pytest.approx(1, abs=1e-5)
    assert spectra.marchenko_pastur_cdf(x, ratio) == pytest.approx(total, abs=2e-5)


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


def test_residual_streams_grow_as_simulated():
    n, blocks, draw = 2000, 6, generator(8)
    plain = normalized = scaled = draw.normal(size=n)
    for _ in range(blocks):
        w = [draw.normal(size=(n, n)).astype(np.float32) / math.sqrt(n) for _ in range(3)]
        plain = plain + w[0] @ plain
        normalized = normalized + w[1] @ (normalized / np.sqrt(np.mean(normalized**2)))
        scaled = scaled + w[2] @ (scaled / np.sqrt(np.mean(scaled**2))) / math.sqrt(blocks)
    for stream, branch in ((plain, "plain"), (normalized, "normalized"), (scaled, "scaled")):
        assert np.mean(stream**2) == pytest.approx(growth.residual_growth(branch, blocks), rel=0.15)
    assert growth.residual_growth("plain", 24) == 2**24
    assert growth.fixup_power(2) == -0.5


@pytest.mark.parametrize("depth", [2, 4, 16])
def test_deep_linear_learning_takes_as_long_as_the_equation_integrated_step_by_step(depth):
    u, t, step = 0.5, 0.0, 1e-5
    while u < 1.8:
        slope = depth * u ** (2 - 2 / depth) * (2 - u)
        middle = u + step / 2 * slope
        u, t = u + step * depth * middle ** (2 - 2 / depth) * (2 - middle), t + step
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
            "is nothing that gain takes - did you mean 'activation'",
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
