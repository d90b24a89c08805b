"""Distributions: constants that are rounded once, and what cannot be."""

from __future__ import annotations

import math

import numpy as np
import pytest

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
