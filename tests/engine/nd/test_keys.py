"""`x[key]`: what a key takes, where a value goes, and which keys are refused."""

from __future__ import annotations

import nd_cases
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nd_checks import check_agrees, convert, kind_of, recorded

from initlab.engine import autograd, nd

FEW = settings(deadline=None, max_examples=40)

SHAPES = st.lists(st.integers(1, 4), min_size=1, max_size=4).map(tuple)


def values(shape, seed):
    return np.random.default_rng(seed).uniform(0.4, 1.6, shape)


@st.composite
def shapes_and_keys(draw):
    """A shape and a key of numbers, slices, None, an Ellipsis, and perhaps one list."""
    shape = draw(SHAPES)
    parts: list = []
    lists = 0
    for n in shape[: draw(st.integers(0, len(shape)))]:
        kind = draw(st.sampled_from(["number", "slice", "list", "new"]))
        if kind == "new":
            parts.append(None)
        if kind == "number":
            parts.append(draw(st.integers(-n, n - 1)))
        elif kind == "list" and not lists:
            lists += 1
            parts.append(draw(st.lists(st.integers(-n, n - 1), min_size=1, max_size=3)))
        else:
            step = draw(st.sampled_from([1, 2, -1, None]))
            start = draw(st.integers(0, n - 1))
            parts.append(slice(start, None, step))
    if draw(st.booleans()):
        parts.append(Ellipsis)
    return shape, tuple(parts)


@FEW
@given(shapes_and_keys())
def test_a_part_is_numpys_part_and_its_gradient_counts_how_often_it_was_taken(shape_key):
    shape, key = shape_key
    array = values(shape, 5)
    x = nd.array(array, dtype="float64")
    x.attach_grad()
    with autograd.record():
        y = x[key]
    expected = array[key]
    assert y.shape == (expected.shape or (1,))
    np.testing.assert_array_equal(y.asnumpy(), np.reshape(expected, y.shape))
    y.backward()
    counts = np.zeros(shape)
    np.add.at(counts, key, 1)
    np.testing.assert_array_equal(x.grad.asnumpy(), counts)


@FEW
@given(shapes_and_keys())
def test_what_is_written_into_a_part_is_what_numpy_writes(shape_key):
    shape, key = shape_key
    array = values(shape, 6)
    x = nd.array(array, dtype="float64")
    array[key] = 7
    x[key] = 7
    np.testing.assert_array_equal(x.asnumpy(), array)


@pytest.mark.parametrize("number", range(len(nd_cases.KEYS)))
def test_a_part_and_its_gradient_are_those_of_mxnet(number):
    x = nd.array(nd_cases.CUBE)
    x.attach_grad()
    with autograd.record():
        y = x[convert(nd_cases.KEYS[number])]
    check_agrees(y.asnumpy(), recorded()[f"key{number}/out"])
    if y.size:
        y.backward(nd.array(nd_cases.head(y.shape, "float32")))
        check_agrees(x.grad.asnumpy(), recorded()[f"key{number}/grad"])


@pytest.mark.parametrize("number", range(len(nd_cases.ASSIGNMENTS)))
def test_what_is_written_into_a_part_is_there_as_in_mxnet(number):
    key, value = nd_cases.ASSIGNMENTS[number]
    x = nd.array(nd_cases.A)
    x[convert(key)] = value if isinstance(value, (tuple, list)) else convert(value)
    check_agrees(x.asnumpy(), recorded()[f"set{number}/out"])


@pytest.mark.parametrize(("key", "kind", "piece"), nd_cases.BAD_KEYS)
def test_an_invalid_index_fails_as_in_mxnet(key, kind, piece):
    with pytest.raises(kind_of(kind)) as caught:
        nd.array(nd_cases.CUBE)[key]
    assert piece in str(caught.value)


@pytest.mark.parametrize(
    "mask",
    [
        np.array([True, False]),
        [True, False],
        nd.array([1, 0], dtype="bool"),
        (slice(None), np.array([True, False, True])),
    ],
)
def test_a_mask_is_no_index(mask):
    """MXNet takes a NumPy mask for the numbers 0 and 1."""
    x = nd.zeros((2, 3))
    with pytest.raises(
        ValueError,
        match="Cannot perform boolean indexing in legacy mode. Choose with nd.contrib.boolean_mask",
    ):
        x[mask]


def test_a_value_that_does_not_fit_is_refused_in_numpys_words():
    x = nd.zeros((3, 4))
    with pytest.raises(
        ValueError,
        match=r"could not be broadcast together with remapped shapes\[original->remapped\]: \(2,\) and requested shape \(3, 4\)",
    ):
        x[:] = nd.ones((2,))
    with pytest.raises(ValueError, match=r"\(2,\) and requested shape \(1,\)"):
        x[0, 0] = nd.ones((2,))
    with pytest.raises(IndexError, match="index 7 is out of bounds for axis 0 with size 3"):
        x[[7]] = 1
