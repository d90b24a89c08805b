"""The distance between values and their law, and its p-value."""

from __future__ import annotations

import math

import numpy as np
import pytest

from initlab.engine import laws, native, streams
from initlab.runner.stats.kolmogorov import (
    MOST_POINTS,
    SORTED_WHOLE,
    _at_values,
    _is_compared,
    half_spacing,
    kolmogorov_smirnov,
)
from initlab.runner.stats.onepass import summarize


def ks_of(x: np.ndarray) -> tuple[float, float] | None:
    return kolmogorov_smirnov(summarize(x), laws.Uniform(0, 1), x)


def test_the_kolmogorov_smirnov_test_has_its_known_critical_value():
    n = 2000
    x = (np.arange(n) + 0.5) / n
    found = ks_of(x)
    assert found[0] == pytest.approx(0.5 / n)
    assert found[1] == 1.0
    shifted = ks_of(x * (1 - 1.358 / math.sqrt(n)))
    assert shifted[1] == pytest.approx(0.05, abs=0.005)


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
@pytest.mark.parametrize("size", [1, 2, 31, 33, 1000, SORTED_WHOLE + 1, MOST_POINTS + 5])
@pytest.mark.parametrize("shift", [0.0, 0.3])
def test_the_distance_is_the_largest_of_all_points(dtype, size, shift):
    """The cdf is computed at some of them only, and of a large tensor only some are sorted."""
    drawn = np.random.default_rng(size).normal(shift, 1, size)
    values = np.where(drawn > 2, 0, drawn).astype(dtype)
    law, n = laws.Normal(0.0, 1.0), size
    x, rank = np.sort(values.astype(np.float64)), np.arange(1, n + 1)
    if n > MOST_POINTS:
        rank = np.linspace(1, n, MOST_POINTS).astype(np.int64)
        x = x[rank - 1]
    moved = half_spacing(x, values.dtype)
    above, below = law.cdf(x + moved), law.cdf(x - moved)
    largest = max(0.0, (rank / n - above).max(), (below - (rank - 1) / n).max())
    assert _at_values(values, law) == largest


@pytest.mark.parametrize("more", [1, 2, 5, 1000, MOST_POINTS // 3, 327_680, 524_288, 786_432])
def test_the_points_that_are_compared_are_evenly_spaced(more):
    n = MOST_POINTS + more
    expected = np.zeros(n + 1, bool)
    expected[np.linspace(1, n, MOST_POINTS).astype(np.int64)] = True
    assert (_is_compared(np.arange(1, n + 1), n) == expected[1:]).all()


def test_the_spacing_at_zero_is_that_of_the_smallest_numbers():
    assert half_spacing(np.zeros(1), np.dtype(np.float32)) == [2.0**-150]
    assert half_spacing(np.zeros(1), np.dtype(np.float16)) == [2.0**-25]


def test_the_elements_that_matter_of_a_tensor_far_from_zero_or_of_two_values_are_found():
    n = MOST_POINTS
    drawn = np.random.default_rng(0).normal(1000, 0.01, n).astype(np.float32)
    few = np.where(np.arange(n) % 3, np.float32(-1), np.float32(2))
    for values, law in ((drawn, laws.Normal(1000.0, 0.01)), (few, laws.Normal(0.0, 1.0))):
        x, rank = np.sort(values.astype(np.float64)), np.arange(1, n + 1)
        moved = half_spacing(x, values.dtype)
        above, below = law.cdf(x + moved), law.cdf(x - moved)
        largest = max(0.0, (rank / n - above).max(), (below - (rank - 1) / n).max())
        assert _at_values(values, law) == largest


@pytest.mark.parametrize("name", native.cores())
@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
@pytest.mark.parametrize("digits", [9, 2])
def test_the_distance_does_not_depend_on_what_counts_the_elements(name, dtype, digits):
    values = np.random.default_rng(7).normal(0, 1, SORTED_WHOLE + 99).round(digits).astype(dtype)
    law = laws.Normal(0.0, 1.0)
    found = {}
    before = streams.implementation()
    for chosen in ("numpy", name):
        try:
            streams.implementation(chosen)
            found[chosen] = _at_values(values, law)
        finally:
            streams.implementation(before)
    assert found["numpy"] == found[name]


@pytest.mark.parametrize("name", native.cores())
def test_elements_of_any_dtype_and_layout_are_counted_by_c(name):
    """C reads float32 and float64 that lie one after the other; all others are copied."""
    n, law = SORTED_WHOLE + 99, laws.Normal(0.0, 1.0)
    drawn = np.random.default_rng(8).normal(0, 1, 2 * n)
    some = drawn[:n]
    shifted = np.frombuffer(bytearray(8 * n + 1), np.float64, n, offset=1)
    shifted[:] = some
    given = [drawn[::2], some[::-1], shifted, *map(some.astype, (">f4", ">f8", ">f2"))]
    given += map((3 * some).astype, ("int8", "int32", "int64", "bool"))
    before = streams.implementation()
    try:
        streams.implementation(name)
        found = [_at_values(values, law) for values in given]
        streams.implementation("numpy")
        assert found == [
            _at_values(values.astype(values.dtype.newbyteorder("=")).copy(), law)
            for values in given
        ]
    finally:
        streams.implementation(before)


def test_a_law_without_a_distribution_function_has_no_distance():
    assert _at_values(np.zeros(3), laws.Constant(0.0)) is None
