"""Bins that count elements by their bits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from one_pass import FLOATS, tensors

from initlab.runner.stats.onepass import summarize


@pytest.mark.parametrize("dtype", FLOATS)
@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_every_element_is_counted_where_its_bits_say(dtype, data):
    values = data.draw(tensors(dtype))
    summary = summarize(values, implementation="numpy")
    width = 8 * values.itemsize
    expected = np.zeros(4096, np.int64)
    for number in values.view(f"u{values.itemsize}").tolist():
        expected[number >> (width - 12)] += 1
    assert (summary.histogram == expected).all()
    smallest = np.finfo(dtype).smallest_normal
    assert summary.zeros == sum(v == 0 for v in values)
    assert summary.subnormal == sum(0 < abs(v) < smallest for v in values)


def test_bfloat16_has_the_bins_of_float32_and_other_dtypes_are_cast_to_it():
    ml_dtypes = pytest.importorskip("ml_dtypes")
    short = np.array([0.0, -0.0, 1.5, -3, np.inf, np.nan, 1e-40], ml_dtypes.bfloat16)
    of_short, of_wide = (
        summarize(v, implementation="numpy") for v in (short, short.astype(np.float32))
    )
    assert (of_short.histogram == of_wide.histogram).all()
    assert (of_short.moments, of_short.zeros, of_short.subnormal) == (of_wide.moments, 2, 1)
    whole = summarize(np.array([-2, 0, 5], np.int64))
    assert (whole.dtype, whole.low, whole.high, whole.mean, whole.zeros) == ("int64", -2, 5, 1, 1)
    assert summarize(np.array([True, False])).mean == 0.5
