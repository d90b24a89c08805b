"""Variance and correlation maps, against sampling, finite differences and the literature's numbers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from initlab.engine import nd
from initlab.engine.errors import OptionError
from initlab.engine.ops.activation import ACTIVATIONS as ENGINE
from initlab.runner.theory import gaussian, meanfield
from initlab.runner.theory.activations import ACTIVATIONS, nonlinearity
from initlab.runner.theory.meanfield import second_moment

NAMES = sorted(ACTIVATIONS)
GAINS = {
    "relu": 1.414214,
    "leaky": 1.414143,
    "tanh": 1.592537,
    "sigmoid": 1.846229,
    "gelu": 1.533530,
    "silu": 1.676532,
    "selu": 1.0,
    "elu": 1.245198,
    "softrelu": 1.041867,
    "erf": 1.467167,
    "sin": 1.520867,
    "linear": 1.0,
}


def generator(seed: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(seed))


@pytest.mark.parametrize("name", sorted(set(NAMES) & set(ENGINE)))
def test_an_activation_is_the_engines_own(name):
    z = np.linspace(-4, 4, 81)
    assert nonlinearity(name).value(z) == pytest.approx(
        getattr(ENGINE[name], "raw", ENGINE[name])(nd.array(z, dtype="float64")).asnumpy(),
        abs=1e-12,
    )


@pytest.mark.parametrize("name", NAMES)
def test_a_slope_is_the_derivative(name):
    z = np.concatenate([np.linspace(-4, -0.01, 40), np.linspace(0.01, 4, 40)])
    f = nonlinearity(name)
    assert f.slope(z) == pytest.approx((f.value(z + 1e-6) - f.value(z - 1e-6)) / 2e-6, abs=1e-8)


@pytest.mark.parametrize("name", sorted(GAINS))
def test_gains_are_the_known_ones(name):
    assert meanfield.gain(name) == pytest.approx(GAINS[name], abs=6e-7)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("q", [0.3, 1.0, 5.0])
def test_means_are_what_sampling_gives(name, q):
    z = math.sqrt(q) * generator(1).normal(size=400_000)
    f = nonlinearity(name)
    for sampled, exact in (
        (f.value(z) ** 2, meanfield.mean_square(name, q)),
        (f.slope(z) ** 2, meanfield.slope_mean_square(name, q)),
    ):
        assert abs(sampled.mean() - exact) <= 5 * sampled.std() / math.sqrt(len(z)) + 1e-12


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("c", [-0.7, 0.0, 0.4, 0.999, 1.0])
def test_products_are_what_sampling_gives(name, c):
    g = generator(2).normal(size=(2, 400_000))
    u = 1.2 * g[0]
    v = 0.8 * (c * g[0] + math.sqrt(1 - c * c) * g[1])
    f = nonlinearity(name)
    sampled = f.value(u) * f.value(v)
    assert (
        abs(sampled.mean() - meanfield.mean_product(name, 1.44, 0.64, c))
        <= 5 * sampled.std() / math.sqrt(sampled.size) + 1e-12
    )


@pytest.mark.parametrize("name", ["relu", "leaky", "erf", "sin", "linear"])
@pytest.mark.parametrize("c", [-0.9, -0.2, 0.0, 0.5, 0.95])
def test_closed_forms_agree_with_quadrature(name, c):
    f = nonlinearity(name)
    assert meanfield.mean_product(name, 0.7, 1.9, c) == pytest.approx(
        gaussian.mean_of_product(f.value, 0.7, 1.9, c), abs=1e-9
    )
    assert meanfield.mean_square(name, 1.9) == pytest.approx(
        gaussian.mean(lambda z: f.value(z) ** 2, 1.9), rel=1e-12
    )


def test_quadrature_is_not_fooled_by_a_kink_as_gauss_hermite_is():
    x, w = np.polynomial.hermite_e.hermegauss(200)
    hermite = float(w @ np.abs(x)) / math.sqrt(2 * math.pi)
    exact = math.sqrt(2 / math.pi)
    assert abs(hermite - exact) > 1e-4
    assert gaussian.mean(np.abs, 1.0) == pytest.approx(exact, rel=1e-13)


def test_the_relu_map_is_cho_and_sauls():
    assert meanfield.relu_correlation(0.0) == pytest.approx(1 / math.pi)
    assert meanfield.relu_correlation(-1.0) == pytest.approx(0, abs=1e-15)
    assert meanfield.relu_correlation(1.0) == 1
    assert meanfield.relu_correlation(0.5) == pytest.approx(
        meanfield.correlation_map("relu", 0.5, 3.0, 2.0)
    )
    assert meanfield.relu_correlation_after(0.2, 3) == pytest.approx(
        meanfield.correlation_after("relu", 0.2, 1.0, 2.0, layers=3)
    )
    assert meanfield.relu_correlation_after(0.2, 0) == 0.2


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=15, deadline=None)
@given(c=st.floats(-1, 1), q=st.floats(0.01, 20), w=st.floats(0.1, 4), b=st.floats(0, 2))
def test_a_correlation_stays_one_and_equal_inputs_stay_equal(name, c, q, w, b):
    assert -1 - 1e-9 <= meanfield.correlation_map(name, c, q, w, b) <= 1 + 1e-9
    assert meanfield.correlation_map(name, 1.0, q, w, b) == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("name", ["tanh", "erf", "sigmoid", "sin", "softsign"])
@settings(max_examples=10, deadline=None)
@given(w=st.floats(0.2, 6), b=st.floats(0.001, 2))
def test_a_fixed_point_is_fixed(name, w, b):
    q = meanfield.fixed_point_variance(name, w, b)
    assert meanfield.variance_map(name, q, w, b) == pytest.approx(q, rel=1e-9)


@pytest.mark.parametrize("bias", [0.0, 0.05, 0.3])
@pytest.mark.parametrize("name", ["tanh", "erf", "softsign"])
def test_on_the_critical_line_chi1_is_one(name, bias):
    w = meanfield.critical_weight_variance(name, bias)
    assert meanfield.chi1(name, w, bias) == pytest.approx(1, abs=1e-6)
    assert meanfield.chi1(name, 0.9 * w, bias) < 1 < meanfield.chi1(name, 1.1 * w, bias)


def test_the_numbers_of_the_literature():
    assert meanfield.critical_weight_variance("tanh", 0.05) == pytest.approx(1.7610, abs=6e-5)
    assert meanfield.critical_weight_variance("relu") == 2
    assert meanfield.chi1("tanh", 1.3, 0.05) == pytest.approx(0.8802, abs=6e-5)
    assert meanfield.chi1("relu", 2.0) == 1
    assert meanfield.fixed_point_variance("relu", 1.0, 0.5) == 1
    assert meanfield.fixed_point_variance("tanh", 0.9) == pytest.approx(0, abs=1e-9)


def test_chi1_is_the_slope_of_the_correlation_map_at_one():
    q = meanfield.fixed_point_variance("tanh", 2.5, 0.05)
    step = 1e-5
    slope = (1 - meanfield.correlation_map("tanh", 1 - step, q, 2.5, 0.05)) / step
    assert slope == pytest.approx(meanfield.chi1("tanh", 2.5, 0.05), rel=1e-3)


def test_depth_scales_are_how_iterated_maps_decay():
    w, b = 1.3, 0.05
    q = meanfield.fixed_point_variance("tanh", w, b)
    lengths = [meanfield.variance_after("tanh", q + 1e-4, w, b, n) - q for n in (4, 5)]
    assert -1 / math.log(lengths[1] / lengths[0]) == pytest.approx(
        meanfield.depth_scale_variance("tanh", w, b), rel=1e-3
    )
    angles = [1 - meanfield.correlation_after("tanh", 1 - 1e-4, q, w, b, n) for n in (2, 3)]
    assert -1 / math.log(angles[1] / angles[0]) == pytest.approx(
        meanfield.depth_scale_correlation("tanh", w, b), rel=1e-2
    )


def test_in_the_chaotic_phase_two_inputs_settle_apart():
    c = meanfield.fixed_point_correlation("tanh", 2.5, 0.05)
    q = meanfield.fixed_point_variance("tanh", 2.5, 0.05)
    assert 0 < c < 1
    assert meanfield.correlation_map("tanh", c, q, 2.5, 0.05) == pytest.approx(c, abs=1e-9)
    assert meanfield.correlation_after("tanh", 0.9, q, 2.5, 0.05, 300) == pytest.approx(c, abs=1e-4)
    assert meanfield.fixed_point_correlation("tanh", 1.3, 0.05) == 1


def test_a_second_moment_of_nothing_known_is_none():
    assert (second_moment("swoosh", 1.0), second_moment(None, 3.0), second_moment("relu", 3.0)) == (
        None,
        3.0,
        1.5,
    )
    with pytest.raises(ValueError, match="must not be negative"):
        second_moment("relu", -1.0)


@pytest.mark.parametrize(
    ("call", "option", "said"),
    [
        (lambda: meanfield.gain("rleu"), "activation", "cannot be 'rleu' - did you mean 'relu'"),
        (lambda: meanfield.mean_square("tanh", -1.0), "q", "must be a number of at least 0"),
        (lambda: meanfield.mean_product("tanh", 1.0, 1.0, 1.5), "c", "must lie in [-1, 1]"),
        (
            lambda: meanfield.variance_map("tanh", 1.0, 0.0),
            "weight_variance",
            "must be a positive number",
        ),
        (
            lambda: meanfield.variance_map("tanh", 1.0, 1.0, -0.1),
            "bias_variance",
            "must be a number of at least 0",
        ),
        (
            lambda: meanfield.fixed_point_variance("relu", 2.0),
            "weight_variance",
            "2 keeps every length",
        ),
        (
            lambda: meanfield.fixed_point_variance("relu", 2.0, 0.1),
            "weight_variance",
            "lets lengths grow without end",
        ),
        (
            lambda: meanfield.fixed_point_variance("selu", 3.0),
            "weight_variance",
            "lengths grow without end",
        ),
        (
            lambda: meanfield.critical_weight_variance("relu", 0.1),
            "bias_variance",
            "must be 0 for relu",
        ),
        (
            lambda: meanfield.depth_scale_correlation("relu", 2.0),
            "weight_variance",
            "has no fixed point",
        ),
        (
            lambda: meanfield.variance_after("tanh", 1.0, 1.0, layers=-1),
            "layers",
            "must be a whole number of at least 0",
        ),
    ],
)
def test_outside_its_domain_a_form_names_the_argument(call, option, said):
    with pytest.raises(OptionError) as refused:
        call()
    assert refused.value.option == option and said in refused.value.problem
