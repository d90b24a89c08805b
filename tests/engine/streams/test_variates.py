"""Distributions beyond uniform and normal: their moments, and what cannot be. Their bits are held
by `tests/engine/nd/test_random.py`.
"""

from __future__ import annotations

import numpy as np
import pytest

from initlab.engine import streams
from initlab.engine.errors import StreamError
from initlab.engine.streams import Key, variates

SIZE = 20_000


@pytest.fixture
def stream():
    return streams.Stream(Key(3, "variates"))


@pytest.mark.parametrize(
    ("draw", "mean", "variance"),
    [
        (lambda s: variates.fractions(s, SIZE), 1 / 2, 1 / 12),
        (lambda s: variates.exponential(s, 2.0, SIZE), 2, 4),
        (lambda s: variates.gamma(s, 0.5, 2.0, SIZE), 1, 2),
        (lambda s: variates.gamma(s, 3.0, 2.0, SIZE), 6, 12),
        (lambda s: variates.poisson(s, 4.0, SIZE), 4, 4),
        (lambda s: variates.poisson(s, 1200.0, SIZE), 1200, 1200),
        (lambda s: variates.negative_binomial(s, 3.0, 0.5, SIZE), 3, 6),
    ],
)
def test_mean_and_variance_are_those_of_the_distribution(draw, mean, variance, stream):
    x = draw(stream)
    assert abs(x.mean() - mean) < 5 * np.sqrt(variance / SIZE)
    assert x.var() == pytest.approx(variance, rel=0.15)


def test_categories_come_in_proportion_and_one_of_weight_0_never(stream):
    counts = np.bincount(variates.categorical(stream, np.array([1.0, 0, 3, 0]), SIZE), minlength=4)
    assert counts[1] == counts[3] == 0
    assert counts[2] / SIZE == pytest.approx(0.75, abs=0.02)


def test_a_permutation_has_each_number_once_and_the_next_is_another(stream):
    first, second = variates.permutation(stream, 100), variates.permutation(stream, 100)
    assert sorted(first) == list(range(100)) and first.tolist() != second.tolist()


def test_no_failures_come_before_none_or_certain_successes(stream):
    assert not variates.negative_binomial(stream, 0, 0.5, 3).any()
    assert not variates.negative_binomial(stream, 2, 1, 3).any()


def test_a_mean_that_is_too_large_is_refused(stream):
    with pytest.raises(StreamError, match="has too large a mean to be drawn exactly"):
        variates.negative_binomial(stream, 1e3, 1e-6, 3)
