"""float32 arithmetic with fused multiply-add."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from initlab.engine.streams.fused import fused, log, sine_and_cosine

FLOATS = st.floats(width=32, min_value=-(2.0**60), max_value=2.0**60)


def nearest(exact: Fraction) -> float:
    """The float32 nearest to a number; the even one of two."""
    around = np.float32(float(exact))
    others = [np.nextafter(around, np.float32(end)) for end in (-np.inf, np.inf)]
    return float(
        min(
            (around, *others),
            key=lambda one: (abs(Fraction(float(one)) - exact), one.view(np.uint32) & 1),
        )
    )


@given(FLOATS, FLOATS, FLOATS)
def test_a_fused_sum_is_rounded_once(a, b, c):
    exact = Fraction(a) * Fraction(b) + Fraction(c)
    assert float(fused(np.float32(a), np.float32(b), np.float32(c))) == nearest(exact)


@pytest.mark.parametrize(
    ("a", "b", "c", "wanted"),
    [
        (97, 172961, 0.0, 2**24),
        (97, 172961, 2.0**-40, 2**24 + 2),
        (97, 172961, -(2.0**-40), 2**24),
        (-97, 172961, -(2.0**-40), -(2**24) - 2),
        (1549, 10831, -(2.0**-40), 2**24 + 2),
    ],
)
def test_a_product_in_the_middle_of_two_numbers_is_rounded_by_what_is_added(a, b, c, wanted):
    """97 * 172961 = 2^24 + 1, 1549 * 10831 = 2^24 + 3. A float64 cannot hold the sum with 2^-40."""
    assert float(fused(np.float32(a), np.float32(b), np.float32(c))) == wanted


def test_the_logarithm_is_within_a_few_units_of_the_last_place():
    x = (np.arange(1, 2**24, 97) * 2.0**-24).astype(np.float32)
    exact = np.log(x.astype(np.float64))
    assert np.all(np.abs(log(x) - exact) <= 2.0**-22 * np.abs(exact) + 2.0**-30)


def test_sine_and_cosine_are_within_a_few_units_of_one():
    x = (np.arange(0, 2**24, 97) * 2.0**-24 * 2 * np.pi).astype(np.float32)
    sine, cosine = sine_and_cosine(x)
    assert np.abs(sine - np.sin(x.astype(np.float64))).max() < 2.0**-22
    assert np.abs(cosine - np.cos(x.astype(np.float64))).max() < 2.0**-22
