"""Orders that no chance gives are named."""

from __future__ import annotations

import numpy as np
import pytest

from initlab.runner.audit import patterns
from initlab.runner.stats.onepass import summarize

RNG = np.random.default_rng(0)


def found(values):
    return patterns.pattern(values, summarize(values))


def test_identities_and_what_is_none():
    assert found(2 * np.eye(5)).numbers == {"gain": 2.0}
    assert found(np.concatenate([np.eye(4)] * 3)).remarks == ("in 3 blocks of axis 0",)
    assert found(np.eye(5)[::-1].copy()) is None
    assert found(RNG.normal(size=(5, 5))) is None


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (np.tile(RNG.normal(size=6), (4, 1)), "all rows of axis 0 are equal"),
        (np.tile(RNG.normal(size=(6, 1)), (1, 4)), "equal along the last axis"),
        (np.array([0.0, 0, 1, 1, 0, 0, 0, 0]), "runs of equal numbers: 0 | 1 | 0"),
        (np.arange(9.0), "a sequence of equal steps"),
        (2.0 ** np.arange(9), "a sequence of equal ratios"),
        (np.log(np.arange(1.0, 9)), "the logarithms of equal steps"),
    ],
)
def test_orders_are_named(values, said):
    assert found(values).remarks == (said,)


def test_the_position_of_a_kernel_that_is_not_zero_is_found():
    values = np.zeros((6, 5, 3, 3))
    values[:, :, 1, 1] = RNG.normal(size=(6, 5))
    part, said = patterns.tap(values, summarize(values))
    assert part.shape == (6, 5) and said == "zero beside position [1, 1] of the kernel"


def test_zero_rows_are_found_if_they_are_few():
    values = RNG.normal(size=(20, 8))
    values[[3, 7]] = 0
    assert patterns.zero_rows(values, summarize(values)) == [3, 7]
    assert patterns.without(values, [3, 7]).shape == (12, 8)
    values[:15] = 0
    assert patterns.zero_rows(values, summarize(values)) == []


def test_repeats_are_counted():
    half = RNG.normal(size=(8, 6))
    assert (
        patterns.times(np.repeat(half[:2], 4, 0)) == patterns.times(np.repeat(half, 4, 0)) == 4
        and patterns.times(half) == 1
    )
    assert patterns.times(np.repeat(half[0], 4).repeat(2)) == 8
    assert patterns.repeated(np.concatenate([half] * 3)) == (0, 3)
    assert patterns.repeated(np.concatenate([half] * 2, 1)) == (1, 2)
    assert patterns.repeated(half) is None
