"""The figures of two tensors against independent computations, and what they must be whatever the
tensors hold.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from initlab.runner.check import distance
from initlab.runner.check.distance import smirnov

FLOATS = st.one_of(
    st.floats(width=32), st.sampled_from([0.0, -0.0, 1.0, math.nan, math.inf, -math.inf])
)
SHAPES = arrays.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=7)


@st.composite
def pairs(draw, elements=FLOATS, dtype=np.float32):
    shape = draw(SHAPES)
    return tuple(draw(arrays.arrays(dtype, shape, elements=elements)) for _ in range(2))


TAME = st.floats(-1000, 1000, width=32)


@settings(deadline=None)
@given(pairs())
def test_a_tensor_is_identical_to_itself_and_no_figure_says_otherwise(pair):
    found = distance.distance(pair[0], pair[0].copy())
    assert found.identical
    assert found.first is None
    assert found.max_abs in (0.0, None)
    assert found.relative_l2 in (0.0, None)
    assert found.correlation in (1.0, None)
    assert found.ks is None or (found.ks.least, found.ks.most) == (0.0, 0.0)


@settings(deadline=None)
@given(pairs(TAME))
def test_distance_and_relative_l2_are_what_numpy_computes(pair):
    a, b = (x.astype(np.float64) for x in pair)
    found = distance.distance(*pair)
    if not a.size:
        assert (found.max_abs, found.relative_l2, found.identical) == (None, None, True)
        return
    assert found.max_abs == np.abs(a - b).max()
    if np.linalg.norm(a):
        assert found.relative_l2 == pytest.approx(
            np.linalg.norm(a - b) / np.linalg.norm(a), rel=1e-12, abs=1e-300
        )
    else:
        assert found.relative_l2 == (math.inf if b.any() else 0.0)


def exact_correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Pearson's in rational numbers."""
    x, y = ([Fraction(float(v)) for v in side.reshape(-1)] for side in (a, b))
    x, y = ([v - sum(side) / len(side) for v in side] for side in (x, y))
    product, square = (
        sum(p * q for p, q in zip(x, y, strict=True)),
        sum(p * p for p in x) * sum(q * q for q in y),
    )
    return math.copysign(math.sqrt(product * product / square), product)


@settings(deadline=None)
@given(pairs(st.integers(-50, 50).map(float)), st.sampled_from([1e-20, 1.0, 1e15]))
def test_the_correlation_is_that_of_rational_numbers_and_is_symmetric(pair, scale):
    a, b = pair[0] * np.float32(scale), pair[1]
    found = distance.distance(a, b).correlation
    assert found == distance.distance(b, a).correlation
    if a.size == 0 or np.ptp(a) == 0 or np.ptp(b) == 0:
        assert found is None
    else:
        assert found == pytest.approx(exact_correlation(a, b), abs=1e-9)
        assert -1 <= found <= 1


def naive_smirnov(a: np.ndarray, b: np.ndarray) -> float | None:
    x, y = ([v for v in side.reshape(-1).tolist() if v == v] for side in (a, b))
    if not (x and y):
        return None
    return max(
        abs(sum(v <= t for v in x) / len(x) - sum(v <= t for v in y) / len(y)) for t in x + y
    )


@settings(deadline=None)
@given(
    arrays.arrays(np.float32, SHAPES, elements=FLOATS),
    arrays.arrays(np.float32, SHAPES, elements=FLOATS),
)
def test_ks_is_the_largest_distance_of_the_distribution_functions_and_is_symmetric(a, b):
    found = smirnov(a, b)
    assert found == smirnov(b, a)
    expected = naive_smirnov(a, b)
    assert (found is None) == (expected is None)
    if found is not None:
        assert found.exact
        assert found.least == pytest.approx(expected, abs=1e-12)


@settings(deadline=None)
@given(
    st.integers(0, 2**32),
    st.integers(1, 400),
    st.integers(1, 400),
    st.sampled_from([0.5, 3.0, 1e30]),
    st.integers(1, 60),
)
def test_the_bounds_of_ks_hold_the_exact_one(seed, n, m, scale, edges):
    rng = np.random.default_rng(seed)
    a, b = rng.integers(-9, 9, n) * 0.25, rng.normal(size=m) * scale
    b[rng.random(m) < 0.3] = 0.25
    exact = smirnov(a, b)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(distance, "EXACT", 0)
        patch.setattr(distance, "EDGES", edges)
        patch.setattr(distance, "SAMPLE", 50)
        patch.setattr(distance, "BLOCK", 7)
        bounds = smirnov(a, b)
        assert bounds == smirnov(b, a)
    assert bounds.least - 1e-12 <= exact.least <= bounds.most + 1e-12


@settings(deadline=None)
@given(pairs(), st.integers(1, 9))
def test_the_size_of_the_blocks_changes_no_count_and_hardly_a_figure(pair, block):
    whole = distance.distance(*pair)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(distance, "BLOCK", block)
        cut = distance.distance(*pair)
    for name in ("elements", "differing", "first", "nan", "infinite", "left_out", "max_abs", "ks"):
        assert getattr(cut, name) == getattr(whole, name)
    for name in ("relative_l2", "correlation"):
        figures = getattr(cut, name), getattr(whole, name)
        assert figures == (None, None) or figures[0] == pytest.approx(
            figures[1], rel=1e-6, abs=1e-6
        )


def test_nan_and_infinities_are_counted_left_out_of_distances_and_never_hidden():
    a = np.array([1.0, np.nan, np.inf, 2.0, np.inf], np.float32)
    b = np.array([1.5, 1.0, np.inf, 2.0, -np.inf], np.float32)
    found = distance.distance(a, b)
    assert (found.nan, found.infinite, found.left_out, found.differing, found.first) == (
        (1, 0),
        (2, 2),
        3,
        3,
        (0,),
    )
    assert (found.max_abs, found.identical) == (0.5, False)
    nothing = distance.distance(np.full(3, np.nan, np.float32), np.full(3, np.nan, np.float32))
    assert (nothing.identical, nothing.max_abs, nothing.ks, nothing.nan) == (
        True,
        None,
        None,
        (3, 3),
    )


def test_zeros_of_two_signs_differ_in_bits_and_by_nothing():
    found = distance.distance(np.zeros((2, 2), np.float32), -np.zeros((2, 2), np.float32))
    assert (found.identical, found.differing, found.max_abs, found.relative_l2) == (
        False,
        4,
        0.0,
        0.0,
    )


def test_64_bit_integers_that_float64_cannot_tell_apart_are_apart():
    a = np.array([2**63 - 1, -(2**63)], np.int64)
    found = distance.distance(a, np.array([2**63 - 2, 2**63 - 1], np.int64))
    assert (found.differing, found.max_abs) == (2, float(2**64 - 1))
    assert distance.distance(a[:1], a[:1] - 1).max_abs == 1.0


def test_numbers_whose_squares_are_beyond_float64_are_measured():
    a = np.array([1e200, -1e200, 3e199])
    found = distance.distance(a, a * 1.5)
    assert found.relative_l2 == pytest.approx(0.5)
    assert found.correlation == pytest.approx(1.0)
    assert distance.distance(np.array([1.7e308]), np.array([-1.7e308])).max_abs == math.inf


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "bool", "uint8"])
def test_other_dtypes_are_compared_by_their_values(dtype):
    resolved = (
        np.dtype(dtype)
        if dtype != "bfloat16"
        else np.dtype(pytest.importorskip("ml_dtypes").bfloat16)
    )
    a, b = np.array([[0, 1], [1, 1]]).astype(resolved), np.array([[0, 1], [0, 1]]).astype(resolved)
    found = distance.distance(a, b)
    assert (found.differing, found.first, found.max_abs) == (1, (1, 0), 1.0)
