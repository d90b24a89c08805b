"""Scales: where a figure lies between odd, harmful and fatal."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from initlab.runner.symptoms.scale import Scale

RISING, FALLING = Scale(1.0, 10.0, 1000.0), Scale(1e-2, 1e-3, 1e-8)
positive = st.floats(1e-300, 1e300)


def test_the_ends_of_a_scale_are_its_whole_numbers():
    assert [RISING.place(x) for x in (1.0, 10.0, 1000.0)] == pytest.approx([0, 1, 2])
    assert [FALLING.place(x) for x in (1e-2, 1e-3, 1e-8)] == pytest.approx([0, 1, 2])


@settings(deadline=None)
@given(positive, positive)
def test_a_worse_figure_lies_higher(a, b):
    a, b = sorted((a, b))
    assert RISING.place(a) <= RISING.place(b) + 1e-9
    assert FALLING.place(b) <= FALLING.place(a) + 1e-9


@settings(deadline=None)
@given(positive)
def test_a_scale_without_a_fatal_end_calls_nothing_fatal(figure):
    assert Scale(1.0, 2.0).place(figure) < 2
    assert Scale(1.0).place(figure) < 1


def test_what_is_no_number_lies_at_the_bad_end():
    assert RISING.place(math.nan) == 2
    assert RISING.place(math.inf) > 2
    assert FALLING.place(0.0) > 2
    assert RISING.place(0.0) < 0
