"""Distributions: constants that are rounded once, and what cannot be."""

from __future__ import annotations

import math

import ml_dtypes
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from initlab.engine.errors import StreamError
from initlab.engine.streams import distribution


def test_constants_are_rounded_to_float32_unless_wide():
    assert distribution.normal(0.1, 0.3).constants == (
        float(np.float32(0.3)),
        float(np.float32(0.1)),
    )
    assert distribution.normal(0.1, 0.3, wide=True).constants == (0.3, 0.1)
    assert distribution.normal(0, 1).dtype == np.float32
    assert distribution.normal(0, 1, wide=True).dtype == np.float64


def test_a_uniform_knows_its_width_and_its_largest_value():
    width, low, largest = distribution.uniform(-1, 2).constants
    assert (width, low) == (3, -1)
    assert largest == np.nextafter(np.float32(2), np.float32(0))


def test_equal_distributions_are_one_object_and_zeros_of_two_signs_are_two():
    assert distribution.normal(0.5, 2) is distribution.normal(0.5, 2)
    assert distribution.point(0.0) is not distribution.point(-0.0)


def test_distributions_of_one_family_differ_in_scale_only():
    assert distribution.normal(0, 1).family == distribution.normal(3, 2).family
    cut = distribution.truncated_normal
    assert cut(0, 1, -2, 2).family == cut(5, 3, -2, 2).family != cut(0, 1, -1, 2).family


@pytest.mark.parametrize("wide", [False, True])
def test_a_truncated_normal_holds_the_words_of_its_bounds(wide):
    first, last = distribution.truncated_normal(0, 1, 0, math.inf, wide).numbers
    bits = 64 if wide else 32
    assert (first, last) == (2 ** (bits - 1), 2**bits)
    assert len(distribution.truncated_normal(0, 1, 0, 1, wide).packed) == 3 * 8 + 4 * 8


def test_bounds_with_nothing_between_them_are_refused():
    with pytest.raises(ValueError, match="nothing of a normal lies between 2 and 1"):
        distribution.truncated_normal(0, 1, 2, 1)


NARROW = [np.dtype(np.float16), np.dtype(ml_dtypes.bfloat16)]
finite = st.floats(-1000, 1000, width=32)


@pytest.mark.parametrize("dtype", NARROW, ids=str)
@settings(deadline=None)
@given(a=finite, b=finite)
def test_a_uniform_of_a_narrow_dtype_stays_between_its_bounds(dtype, a, b):
    low, high = sorted((a, b))
    assume(low < high)
    kind = distribution.uniform(low, high)
    values = np.array([kind.constants[1], (low + high) / 2, kind.constants[2]], np.float32)
    try:
        rounded = kind.rounded(values, dtype).astype(np.float64)
    except StreamError:
        assume(kind.constants[1] != kind.constants[2])
        between = np.nextafter(np.asarray(low, dtype), np.asarray(math.inf, dtype))
        assert float(between) >= high and not low <= float(np.asarray(low, dtype)) < high
    else:
        assume(kind.constants[1] != kind.constants[2])
        assert (rounded >= low).all() and (rounded < high).all()
        assert (float(rounded[0]), float(rounded[2])) == kind.limits(dtype)


@pytest.mark.parametrize("dtype", NARROW, ids=str)
@settings(deadline=None)
@given(
    mean=finite,
    std=st.floats(2.0**-10, 100, width=32),
    low=st.floats(-3, 0, width=32),
    high=st.floats(2.0**-4, 3, width=32),
)
def test_a_truncated_normal_of_a_narrow_dtype_stays_between_its_bounds(dtype, mean, std, low, high):
    kind = distribution.truncated_normal(mean, std, low, high)
    first, last = (np.float32(std) * np.float32(z) + np.float32(mean) for z in (low, high))
    try:
        rounded = kind.rounded(np.array([first, last], np.float32), dtype).astype(np.float32)
    except StreamError:
        assume(first < last)
        assert not first <= np.float32(np.asarray((first + last) / 2, dtype)) <= last
    else:
        assert (rounded >= first).all() and (rounded <= last).all()


@pytest.mark.parametrize("dtype", NARROW, ids=str)
def test_a_value_that_rounding_leaves_within_the_bounds_is_float32s_rounded_once(dtype):
    kind = distribution.uniform(-0.07, 0.07)
    values = np.linspace(-0.069, 0.069, 1000, dtype=np.float32)
    assert kind.rounded(values, dtype).tobytes() == values.astype(dtype).tobytes()


def test_bounds_with_no_number_of_the_dtype_between_them_are_refused():
    kind = distribution.uniform(1.0006, 1.0007)
    with pytest.raises(
        StreamError, match="float16 has no number from 1.0006 to 1.0007 - use a wider dtype"
    ):
        kind.rounded(np.ones(1, np.float32), np.dtype(np.float16))


@pytest.mark.parametrize("wide", [False, True])
def test_a_uniform_between_equal_bounds_is_that_number(wide):
    assert distribution.uniform(1.0, 1.0, wide) is distribution.point(1.0, wide)
    assert distribution.uniform(1.0, 1.0 + 1e-9) is distribution.point(1.0)
