"""A law draws what it declares: its moments, support and distribution are those of what it draws."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import laws
from engine.errors import LawError, StreamError
from engine.streams import Key

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


@pytest.mark.parametrize("law", [*RANDOM, laws.Constant(0.5), laws.Constant([1.0, 2.0, 3.0]), laws.Structured("identity", 2.0)], ids=str)
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
def test_low_precision_values_are_the_float32_ones_rounded_once(law, dtype):
    if dtype == "bfloat16":
        pytest.importorskip("ml_dtypes")
    low = law.draw(KEY, (1000,), dtype)
    assert low.dtype.name == dtype
    assert low.tobytes() == law.draw(KEY, (1000,)).astype(low.dtype).tobytes()


@pytest.mark.parametrize("dtype", ["float64", "int32"])
def test_a_dtype_the_stream_does_not_specify_is_refused(dtype):
    with pytest.raises(StreamError, match=f"{dtype}.*not specified yet in stream initlab-1"):
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
        (lambda: laws.TruncatedNormal(0, 1, 20, 30), "nothing of the normal lies between 20 and 30"),
        (lambda: laws.Constant("a"), "value must be a number or an array of numbers, got 'a'"),
        (lambda: laws.Constant(math.nan), "value must not be NaN"),
        (lambda: laws.Constant([1, 2]).draw(KEY, (3,)), r"does not broadcast to shape \(3,\)"),
        (lambda: laws.Structured("identity").draw(KEY, (3,)), r"an identity cannot have shape \(3,\)"),
        (lambda: laws.Structured("diag"), "no structure 'diag'"),
        (lambda: laws.Normal(0, 1).draw(KEY, (3,), start=2, stop=5), r"slice \[2, 5\) is not within the 3 elements"),
        (lambda: laws.from_description({"kind": "nope"}), "no law can be made of"),
        (lambda: laws.Custom("Mine").draw(KEY, (2,)), "come from its own code"),
    ],
)
def test_an_impossible_law_is_refused(make, message):
    with pytest.raises(LawError, match=message):
        make()


@pytest.mark.parametrize(
    "law", [*RANDOM[:6], laws.Constant([[1, 2]]), laws.Haar(2.0, True), laws.Structured(), laws.Custom("Mine")], ids=str
)
def test_a_description_makes_the_same_law_again(law):
    described = {key: value for key, value in law.describe().items() if key != "phi_words"}
    assert laws.from_description(described) == law


def test_identity_puts_its_gain_on_the_diagonal_and_at_the_centre_tap():
    assert laws.Structured("identity", 2.0).draw(KEY, (2, 3)).tolist() == [[2, 0, 0], [0, 2, 0]]
    kernel = laws.Structured().draw(KEY, (2, 2, 3, 4))
    assert kernel[0, 0, 1, 1] == kernel[1, 1, 1, 1] == 1
    assert kernel.sum() == 2
