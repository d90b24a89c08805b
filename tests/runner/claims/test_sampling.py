"""Tails, their inverse, and Holm's rule."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from initlab.runner.claims.sampling import deviate_of, first_enough, holm, incomplete_beta, tail


def density(x: np.ndarray, freedom: int) -> np.ndarray:
    front = math.gamma((freedom + 1) / 2) / math.sqrt(freedom * math.pi) / math.gamma(freedom / 2)
    return front * (1 + x * x / freedom) ** (-(freedom + 1) / 2)


@pytest.mark.parametrize("freedom", [1, 2, 3, 7, 30])
@pytest.mark.parametrize("deviate", [0.0, 0.3, 1.0, 4.0, 9.0])
def test_a_tail_is_the_integral_of_students_density(freedom, deviate):
    u = (np.arange(200_000) + 0.5) / 200_000  # x = deviate + u / (1 - u)
    x = deviate + u / (1 - u)
    assert tail(deviate, freedom) == pytest.approx(
        float(np.mean(density(x, freedom) / (1 - u) ** 2)), rel=1e-6
    )


def test_known_tails():
    assert tail(12.706204736, 1) == pytest.approx(0.025, rel=1e-9)
    assert tail(2.228138852, 10) == pytest.approx(0.025, rel=1e-8)
    assert tail(1.959963985, math.inf) == pytest.approx(0.025, rel=1e-8)
    assert tail(6.0, math.inf) == pytest.approx(9.865876e-10, rel=1e-6)


def test_many_degrees_of_freedom_are_the_normal_distribution():
    assert tail(5.0, 1e9) == pytest.approx(tail(5.0, math.inf), rel=1e-6)


@given(st.floats(1e-12, 0.499), st.sampled_from([1, 2, 5, 20, 200, math.inf]))
def test_a_deviate_has_the_tail_it_was_asked_for(probability, freedom):
    assert tail(deviate_of(probability, freedom), freedom) == pytest.approx(probability, rel=1e-8)


@given(st.floats(0.1, 50), st.floats(0.1, 50), st.floats(0.01, 0.99))
def test_the_incomplete_beta_function_is_its_own_mirror(a, b, x):
    assert incomplete_beta(a, b, x) == pytest.approx(1 - incomplete_beta(b, a, 1 - x), abs=1e-9)


def test_deviates_at_the_ends_of_the_probabilities():
    assert (deviate_of(0.5, 3), deviate_of(0.0, 3), math.isnan(tail(math.nan, 3))) == (
        0.0,
        math.inf,
        True,
    )


def test_holm_is_bonferroni_for_the_smallest_and_milder_for_the_rest():
    assert holm([0.01, 0.02, 0.04], 0.05) == [True, True, True]
    assert holm([0.04, 0.02, 0.01], 0.05) == [True, True, True]
    assert holm([0.02, 0.02, 0.04], 0.05) == [False, False, False]
    assert holm([0.01, 0.03, 0.2], 0.05) == [True, False, False]
    assert holm([], 0.05) == []


@given(st.lists(st.floats(0, 1), max_size=12), st.floats(1e-9, 0.5))
def test_holm_rejects_no_less_than_bonferroni_and_nothing_above_the_level(chances, level):
    rejected = holm(chances, level)
    for p, off in zip(chances, rejected, strict=True):
        assert not (p <= level / len(chances)) or off
        assert not off or p <= level


def test_holm_keeps_the_family_error():
    generator = np.random.Generator(np.random.PCG64(5))
    wrong = sum(any(holm(list(generator.random(8)), 0.1)) for _ in range(4000))
    assert wrong / 4000 < 0.1 + 4 * math.sqrt(0.09 / 4000)


@pytest.mark.parametrize("least", [3, 4, 17, 999])
def test_the_first_count_that_is_enough_is_found(least):
    assert first_enough(lambda n: n >= least, 3) == least
    assert first_enough(lambda n: False, 3, 100) is None
