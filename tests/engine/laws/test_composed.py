"""Laws made of others."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from initlab.engine import laws
from initlab.engine.errors import LawError
from initlab.engine.streams import Key

KEY = Key(3, "w")
LAWS = [
    (laws.Repeated(laws.Normal(0.0, 0.3), 4), (8, 3, 2, 2)),
    (laws.Repeated(laws.Uniform(-1.0, 2.0), 1), (5, 3)),
    (laws.Blocks((0.5, 0.5, 0.1)), (9, 5)),
    (laws.Blocks((2.0,)), (4, 4)),
]


@pytest.mark.parametrize(("law", "shape"), LAWS, ids=[str(law) for law, _ in LAWS])
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
@given(data=st.data())
def test_any_slice_is_that_part_of_the_whole(law, shape, dtype, data):
    whole = law.draw(KEY, shape, dtype).reshape(-1)
    start = data.draw(st.integers(0, whole.size))
    stop = data.draw(st.integers(start, whole.size))
    assert law.draw(KEY, shape, dtype, start, stop).tobytes() == whole[start:stop].tobytes()


@pytest.mark.parametrize(("law", "shape"), LAWS, ids=[str(law) for law, _ in LAWS])
def test_a_description_makes_the_law_again(law, shape):
    again = laws.from_description(law.describe())
    assert again == law and again.draw(KEY, shape).tobytes() == law.draw(KEY, shape).tobytes()


def test_each_sub_kernel_comes_several_times_in_a_row_and_is_what_its_law_draws():
    values = laws.Repeated(laws.Normal(0.0, 0.3), 4).draw(KEY, (8, 3, 2, 2))
    inner = laws.Normal(0.0, 0.3).draw(KEY, (2, 3, 2, 2))
    assert np.array_equal(values, np.repeat(inner, 4, axis=0))


def test_a_sub_kernel_that_differs_is_found():
    law = laws.Repeated(laws.Normal(0.0, 0.3), 2)
    values = law.draw(KEY, (4, 3)).copy()
    assert all(found.ok for found in law.invariants(values))
    values[1, 0] += 1
    assert [found.ok for found in law.invariants(values)] == [False]


def test_blocks_have_each_their_bound_and_together_the_moments_of_the_mixture():
    law = laws.Blocks((1.0, 0.25))
    values = law.draw(KEY, (2, 400_000), "float64")
    assert np.abs(values[0]).max() <= 1 and 0.2499 < np.abs(values[1]).max() <= 0.25
    assert np.array_equal(
        values.reshape(-1),
        laws.Uniform(-1.0, 1.0).draw(KEY, (800_000,), "float64") * np.repeat([1.0, 0.25], 400_000),
    )
    assert values.std() == pytest.approx(law.std, rel=0.005) and law.std == pytest.approx(
        math.sqrt((1 + 1 / 16) / 6)
    )
    assert np.mean(values**4) / values.var() ** 2 - 3 == pytest.approx(law.kurtosis, abs=0.03)
    assert law.support == (-1.0, 1.0)


def test_a_data_scaled_matrix_is_a_haar_matrix_and_any_multiple_of_one_is_upheld():
    law = laws.DataScaled(1.0, False, 0.1, 10)
    values = law.draw(KEY, (6, 4))
    assert np.array_equal(values, laws.Haar().draw(KEY, (6, 4)))
    assert all(found.ok for found in law.invariants(values * 3.7))
    assert not all(found.ok for found in law.invariants(values + np.eye(6, 4, dtype=np.float32)))
    assert (law.exactness, law.sliceable, str(law)) == ("tolerance", False, "DataScaled(Haar(1))")
    assert laws.from_description(law.describe()) == law


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (
            lambda: laws.Repeated(laws.Normal(0.0, 1.0), 0),
            "times must be a whole number of at least 1, got 0",
        ),
        (
            lambda: laws.Repeated(laws.Normal(0.0, 1.0), 3).draw(KEY, (4, 2)),
            r"its axis 0 must be a multiple of 3",
        ),
        (lambda: laws.Blocks(()), "bounds must be finite numbers of at least 0"),
        (lambda: laws.Blocks((1.0, -1.0)), "bounds must be finite numbers of at least 0"),
        (lambda: laws.Blocks((1.0, 1.0)).draw(KEY, (3, 2)), "its axis 0 must divide into 2 blocks"),
    ],
)
def test_invalid_arguments_are_refused(make, said):
    with pytest.raises(LawError, match=said):
        make()


TWO = laws.Stacked((laws.Normal(0.0, 1.0), laws.Normal(0.0, 0.25)))


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_each_block_of_a_stack_has_the_elements_of_its_own_law(dtype):
    values = TWO.draw(KEY, (8, 3), dtype)
    wide, narrow = (one.draw(KEY, (8, 3), dtype) for one in TWO.laws)
    assert values.tobytes() == np.concatenate([wide[:4], narrow[4:]]).tobytes()
    for start, stop in ((0, 24), (5, 20), (13, 14), (12, 12)):
        part = TWO.draw(KEY, (8, 3), dtype, start, stop)
        assert part.tobytes() == values.reshape(-1)[start:stop].tobytes()


def test_the_moments_of_a_stack_are_those_of_what_is_drawn():
    x = TWO.draw(KEY, (400_000,)).astype(np.float64)
    assert abs(x.std() / TWO.std - 1) < 0.01
    assert abs(((x / x.std()) ** 4).mean() - 3 - TWO.kurtosis) < 0.1
    ordered = np.sort(x)
    assert np.abs(TWO.cdf(ordered) - (np.arange(x.size) + 0.5) / x.size).max() < 0.004
    mixed = laws.Stacked((laws.Uniform(0.0, 1.0), laws.Uniform(0.0, 3.0)))
    drawn = mixed.draw(KEY, (400_000,)).astype(np.float64)
    assert (mixed.support, mixed.kurtosis) == ((0.0, 3.0), None)
    assert drawn.mean() == pytest.approx(mixed.mean, rel=0.01)
    assert drawn.std() == pytest.approx(mixed.std, rel=0.01)


def test_a_stack_is_described_and_checked():
    assert laws.from_description(TWO.describe()) == TWO
    assert str(TWO) == "Stacked(Normal(0, 1), Normal(0, 0.25))"
    with pytest.raises(LawError, match="its axis 0 must divide into 2 blocks"):
        TWO.draw(KEY, (3, 2))
    for wrong in ((), (laws.Haar(),)):
        with pytest.raises(LawError, match="stacked: laws must be at least one law of independent"):
            laws.Stacked(wrong)
