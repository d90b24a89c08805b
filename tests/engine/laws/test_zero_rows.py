"""Rows that are 0 whatever is drawn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from initlab.engine import gluon, init, laws, streams
from initlab.engine.errors import LawError
from initlab.engine.laws import ZeroRows, from_description
from initlab.engine.streams import Key

KEY = Key(3, "table")


@given(st.integers(1, 7), st.integers(1, 5), st.data())
def test_all_other_elements_are_those_of_the_law_and_any_slice_is_a_slice_of_the_whole(
    rows, width, data
):
    chosen = data.draw(st.sets(st.integers(0, rows - 1), min_size=1))
    law = ZeroRows(laws.Normal(0.0, 1.0), tuple(chosen), rows)
    whole = law.draw(KEY, (rows, width))
    plain = laws.Normal(0.0, 1.0).draw(KEY, (rows, width))
    plain[list(chosen)] = 0
    assert np.array_equal(whole, plain)
    start = data.draw(st.integers(0, whole.size))
    stop = data.draw(st.integers(start, whole.size))
    assert np.array_equal(
        law.draw(KEY, (rows, width), "float32", start, stop), plain.ravel()[start:stop]
    )
    assert all(one.ok for one in law.invariants(whole))


def test_its_moments_are_those_of_the_mixture_with_zeros():
    law = ZeroRows(laws.Normal(0.0, 2.0), (0, 3), 4)
    drawn = law.draw(KEY, (4, 100_000)).astype(np.float64)
    assert law.std == pytest.approx(np.sqrt(2)) == pytest.approx(drawn.std(), rel=0.01)
    fourth = (drawn**4).mean() / drawn.var() ** 2 - 3
    assert law.kurtosis == pytest.approx(fourth, abs=0.1)
    assert law.cdf(np.array([-0.1, 0.1])) == pytest.approx([0.24, 0.76], abs=0.01)


def test_it_is_read_back_from_its_description():
    law = ZeroRows(laws.Uniform(-0.1, 0.1), (1,), 5)
    assert from_description(law.describe()) == law
    assert str(law) == "Uniform(-0.1, 0.1) with zeros in row 1"


@pytest.mark.parametrize(("rows", "of"), [((), 3), ((3,), 3), ((-1,), 3)])
def test_rows_that_do_not_exist_are_refused(rows, of):
    with pytest.raises(LawError, match="rows must be from 0 to 2"):
        ZeroRows(laws.Normal(0.0, 1.0), rows, of)


def test_a_parameter_with_zero_rows_is_filled_with_them():
    streams.seed(1)
    parameter = gluon.Parameter("table", shape=(4, 3))
    parameter.zero_rows = (2,)
    parameter.initialize(init.Normal(0.1))
    values = parameter.data().asnumpy()
    assert not values[2].any() and values[[0, 1, 3]].all()
    assert isinstance(parameter.origin.law, ZeroRows)
