"""A law draws what it declares: its moments, support and distribution are those of what it draws."""

from __future__ import annotations

import json
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from initlab.engine import dtypes, laws
from initlab.engine.errors import LawError, StreamError
from initlab.engine.streams import Key, Stream

KEY = Key(11, "laws")
COUNT = 400_000
RANDOM = [
    laws.Uniform(-0.07, 0.07),
    laws.Uniform(-1, 3),
    laws.Normal(0, 0.01),
    laws.Normal(0.5, 2.0),
    laws.TruncatedNormal(0, 1, -2, 2),
    laws.TruncatedNormal(0.3, 0.5, -1, 2.5),
    laws.TruncatedNormal(0, 1, -0.5, math.inf),
]


@pytest.mark.parametrize("law", RANDOM, ids=str)
def test_moments_are_those_of_what_is_drawn(law):
    x = law.draw(KEY, (COUNT,)).astype(np.float64)
    assert abs(x.mean() - law.mean) < 6 * law.std / math.sqrt(COUNT)
    assert abs(x.var() / law.std**2 - 1) < 6 * math.sqrt((law.kurtosis + 2) / COUNT)
    kurtosis = (((x - law.mean) / law.std) ** 4).mean() - 3
    assert abs(kurtosis - law.kurtosis) < 0.1
    assert law.support[0] <= x.min() <= x.max() <= law.support[1]


@pytest.mark.parametrize("law", RANDOM, ids=str)
def test_the_distribution_function_is_that_of_what_is_drawn(law):
    x = np.sort(law.draw(KEY, (50_000,)).astype(np.float64))
    distance = np.abs(law.cdf(x) - (np.arange(x.size) + 0.5) / x.size).max()
    assert distance < 2.5 / math.sqrt(x.size)


@pytest.mark.parametrize(
    "law",
    [*RANDOM, laws.Constant(0.5), laws.Constant([1.0, 2.0, 3.0]), laws.Structured("identity", 2.0)],
    ids=str,
)
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_a_slice_of_a_tensor_equals_the_slice_of_the_whole(law, data):
    shape = (7, 11, 3)
    start = data.draw(st.integers(0, 231))
    stop = data.draw(st.integers(start, 231))
    whole = law.draw(KEY, shape).reshape(-1)
    assert law.draw(KEY, shape, start=start, stop=stop).tobytes() == whole[start:stop].tobytes()


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("law", RANDOM, ids=str)
def test_low_precision_values_are_the_float32_ones_rounded_once_within_the_bounds(law, dtype):
    if dtype == "bfloat16":
        pytest.importorskip("ml_dtypes")
    low = law.draw(KEY, (1000,), dtype)
    assert low.dtype.name == dtype
    rounded = law.draw(KEY, (1000,)).astype(low.dtype)
    smallest, largest = law.support_in(low.dtype)
    inside = (rounded >= smallest) & (rounded <= largest)
    assert low[inside].tobytes() == rounded[inside].tobytes()
    assert np.isin(low[~inside].astype(float), [smallest, largest]).all()


@pytest.mark.parametrize("dtype", ["int64", "int32"])
def test_a_dtype_the_stream_does_not_specify_is_refused(dtype):
    with pytest.raises(StreamError, match=f"{dtype}.*not specified in stream initlab-1"):
        laws.Normal(0, 1).draw(KEY, (2,), dtype)


def test_a_constant_has_every_dtype():
    assert laws.Constant(2).draw(KEY, (2,), "int32").tolist() == [2, 2]
    assert laws.Constant(0.1).draw(KEY, (1,), "float64")[0] == 0.1


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: laws.Normal(0, -1), "normal: std must not be negative, got -1"),
        (lambda: laws.Normal(math.nan, 1), "normal: mean must be a finite number, got nan"),
        (lambda: laws.Uniform(1, 0), "uniform: low must not be greater than high, got 1 and 0"),
        (lambda: laws.Uniform(-3e38, 3e38), "too far apart for float32"),
        (lambda: laws.Normal(0, 1e39), "std must be within float32's range, got 1e\\+39"),
        (lambda: laws.TruncatedNormal(0, 1, 2, -2), "low must be less than high, got 2 and -2"),
        (
            lambda: laws.TruncatedNormal(0, 1, 20, 30),
            "nothing of the normal lies between 20 and 30",
        ),
        (
            lambda: laws.Normal(0, 10**400),
            "normal: std must be a finite number, got one of 401 digits",
        ),
        (
            lambda: laws.Normal(Fraction(1, 2), 1),
            "normal: mean must be a finite number, got Fraction",
        ),
        (lambda: laws.Normal(0, "1"), "normal: std must be a finite number, got '1'"),
        (
            lambda: laws.Normal(0, 3e38),
            r"normal: Normal\(0, 3e\+38\) reaches beyond float32's range",
        ),
        (
            lambda: laws.TruncatedNormal(3e38, 1e38),
            "truncated normal: .* reaches beyond float32's range",
        ),
        (
            lambda: laws.TruncatedNormal(0, 1, math.nan, 2),
            "truncated normal: low must be a number, got nan",
        ),
        (
            lambda: laws.TruncatedNormal(0, -1),
            "truncated normal: scale must not be negative, got -1",
        ),
        (lambda: laws.Haar(math.inf), "haar: gain must be a finite number, got inf"),
        (lambda: laws.Constant("1.5"), "value must be a number or an array of numbers, got '1.5'"),
        (lambda: laws.Constant([[1], [2, 3]]), "value must be a number or an array of numbers"),
        (lambda: laws.Constant("a"), "value must be a number or an array of numbers, got 'a'"),
        (lambda: laws.Constant(math.nan), "value must not be NaN"),
        (lambda: laws.Constant([1, 2]).draw(KEY, (3,)), r"does not broadcast to shape \(3,\)"),
        (
            lambda: laws.Structured("identity").draw(KEY, (3,)),
            r"an identity cannot have shape \(3,\)",
        ),
        (lambda: laws.Structured("diag"), "no structure 'diag'"),
        (
            lambda: laws.Normal(0, 1).draw(KEY, (3,), start=2, stop=5),
            r"slice \[2, 5\) is not within the 3 elements",
        ),
        (lambda: laws.from_description({"kind": "nope"}), "no law can be made of"),
        (lambda: laws.Custom("Mine").draw(KEY, (2,)), "come from its own code"),
    ],
)
def test_an_impossible_law_is_refused(make, message):
    with pytest.raises(LawError, match=message):
        make()


DESCRIBED = [
    *RANDOM,
    laws.Constant([[1, 2]]),
    laws.Constant([math.inf, -math.inf, 0.5]),
    laws.Haar(2.0, True),
    laws.DeltaOrthogonal(0.5, True, 1, 0, 4),
    laws.Structured(),
    laws.Custom("Mine"),
    laws.Loaded("first.npz", "0.weight"),
    laws.Normal(np.float32(0.5), np.int64(2)),
]


@pytest.mark.parametrize("law", DESCRIBED, ids=str)
def test_a_description_in_json_makes_the_same_law_again(law):
    text = json.dumps(law.describe(), allow_nan=False)
    assert laws.from_description(json.loads(text)) == law


def test_bounds_that_come_to_other_words_than_described_are_refused():
    description = laws.TruncatedNormal(0, 1, -2, 2).describe() | {
        "phi_words": [97711072, 4197256223]
    }
    with pytest.raises(
        LawError,
        match=r"come to the words \[97711073, 4197256223\], its description has \[97711072, 4197256223\]",
    ):
        laws.from_description(description)


def test_kinds_are_the_snake_case_of_their_classes():
    assert [law.kind for law in (laws.TruncatedNormal, laws.Normal, laws.Haar)] == [
        "truncated_normal",
        "normal",
        "haar",
    ]


def test_bounds_that_are_one_number_in_float32_give_that_number():
    law = laws.Uniform(1.0, 1.0 + 1e-12)
    assert law.draw(KEY, (3,)).tolist() == [1, 1, 1]
    assert (law.support, law.kurtosis, law.cdf(np.ones(1))) == ((1, 1), None, None)


def test_what_a_dtype_cannot_hold_is_refused():
    assert laws.Normal(0, 1e4).draw(KEY, (100,), "float16").dtype == np.float16
    with pytest.raises(
        LawError,
        match=r"Normal\(0, 100000\) gives .* beyond the range of float16 - use a wider dtype",
    ):
        laws.Normal(0, 1e5).draw(KEY, (100,), "float16")
    for value, dtype in (
        (300, "uint8"),
        (300.0, "uint8"),
        (-1, "uint8"),
        (1e6, "float16"),
        (math.inf, "int32"),
    ):
        with pytest.raises(LawError, match=f"beyond the range of {dtype}"):
            laws.Constant(value).draw(KEY, (2,), dtype)


def test_large_whole_numbers_stay_exact():
    assert laws.Constant([2**60 + 1]).draw(KEY, (1,), "int64").tolist() == [2**60 + 1]
    assert laws.Constant(2**60 + 1).invariants(np.array([2**60 + 1]))[0].ok


@pytest.mark.parametrize("law", [laws.Constant(0.25), laws.Structured("identity", 2.0)], ids=str)
def test_invariants_of_values_without_randomness_notice_one_wrong_element(law):
    values = law.draw(KEY, (3, 4))
    assert [invariant.ok for invariant in law.invariants(values)] == [True]
    values[1, 2] += 1
    assert [(invariant.value, invariant.ok) for invariant in law.invariants(values)] == [(1, False)]


def test_a_point_law_draws_its_point():
    assert laws.Normal(0.5, 0).draw(KEY, (2,)).tolist() == [0.5, 0.5]
    point = laws.TruncatedNormal(0.5, 0, -1, math.inf)
    assert point.draw(KEY, (2,)).tolist() == [0.5, 0.5]
    assert (point.support, point.std, point.kurtosis) == ((0.5, 0.5), 0, None)


def test_identity_puts_its_gain_on_the_diagonal_and_at_the_centre_tap():
    assert laws.Structured("identity", 2.0).draw(KEY, (2, 3)).tolist() == [[2, 0, 0], [0, 2, 0]]
    kernel = laws.Structured().draw(KEY, (2, 2, 3, 4))
    assert kernel[0, 0, 1, 1] == kernel[1, 1, 1, 1] == 1
    assert kernel.sum() == 2
    assert laws.Structured().draw(KEY, (2, 2, 0)).shape == (2, 2, 0)


BOUNDED = [
    laws.Uniform(-0.07, 0.07),
    laws.Uniform(0, 1),
    laws.Uniform(-1, 0),
    laws.Uniform(0.1, 0.3),
    laws.TruncatedNormal(0, 0.02, -2, 2),
    laws.TruncatedNormal(0.3, 0.5, -1, 2.5),
    laws.Repeated(laws.Uniform(-0.07, 0.07), 2),
    laws.Blocks((0.07, 0.03)),
]


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize("law", BOUNDED, ids=str)
def test_no_value_of_any_dtype_is_beyond_the_bounds(law, dtype):
    low, high = law.support_in(dtypes.resolve(dtype))
    assert law.support[0] - 1e-7 <= low <= high <= law.support[1] + 1e-7
    for drawn in (law.draw(KEY, (1 << 20,), dtype), law.draw_from(Stream(KEY), (1 << 20,), dtype)):
        x = drawn.astype(np.float64)
        assert low <= x.min() and x.max() <= high
        if isinstance(law, laws.Uniform):
            assert x.max() < np.float32(law.high) and x.min() >= np.float32(law.low) - 1e-8


def test_a_law_with_no_number_of_the_dtype_between_its_bounds_is_refused():
    law = laws.Uniform(1.0006, 1.0007)
    with pytest.raises(LawError, match=r"Uniform\(.*\): float16 has no number from 1.0006"):
        law.draw(KEY, (3,), "float16")
    with pytest.raises(LawError, match="float16 has no number"):
        law.check_dtype(np.dtype(np.float16))
    law.check_dtype(np.dtype(np.float32))
