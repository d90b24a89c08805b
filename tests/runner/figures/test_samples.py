"""Reductions: one number of several, and the name of the one that is not finite."""

from __future__ import annotations

import math

import numpy as np
import pytest

from initlab.runner.figures.samples import REDUCTIONS, Sample, log, reduced


def sample(*values: float) -> Sample:
    return Sample(np.array(values), tuple(f"row {i}" for i in range(len(values))), False)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("mean", 3.75),
        ("log_mean", math.log(2) * 6 / 4),
        ("mean_square", 85 / 4),
        ("std", math.sqrt(85 / 4 - 3.75**2)),
        ("variance", 85 / 4 - 3.75**2),
        ("median", 3.0),
        ("min", 1.0),
        ("max", 8.0),
        ("sum", 15.0),
    ],
)
def test_a_reduction_makes_one_number(name, expected):
    found = reduced(name, sample(2.0, 8.0, 1.0, 4.0))
    assert found.single and found.values[0] == pytest.approx(expected)


@pytest.mark.parametrize("name", sorted(REDUCTIONS))
def test_a_value_that_is_not_finite_makes_nan_and_is_named(name):
    found = reduced(name, sample(1.0, math.inf, math.nan))
    assert math.isnan(found.values[0]) and found.names == ("row 1",)


def test_a_logarithm_of_what_has_none_is_not_finite_and_warns_of_nothing():
    np.testing.assert_array_equal(log(np.array([1.0, 0.0, -1.0])), [0.0, -np.inf, np.nan])
    assert reduced("log_mean", sample(1.0, 0.0)).names == ("row 1",)


def test_a_sample_is_mapped_value_by_value():
    mapped = sample(1.0, 2.0).map(np.square)
    assert (mapped.values.tolist(), mapped.names) == ([1.0, 4.0], ("row 0", "row 1"))
