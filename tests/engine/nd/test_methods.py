"""Methods that differ from the function of their name, as in MXNet 1.9.1."""

from __future__ import annotations

import pytest

from initlab.engine import nd

CUBE = nd.ones((1, 2, 1))


def test_a_shape_has_its_name():
    assert nd.ones((1, 2)).broadcast_to(shape=(3, 2)).shape == (3, 2)
    assert nd.ones((2,)).broadcast_to((3, 2)).shape == (3, 2)
    assert nd.ones((2, 1)).broadcast_to((0, 3)).shape == (2, 3)


@pytest.mark.parametrize("shape", [(3, 2), (2,), (2, 2, 3)])
def test_what_cannot_be_stretched_is_a_value_error(shape):
    with pytest.raises(
        ValueError, match=r"remapped shapes\[original->remapped\]: \(2, 2\) and req"
    ):
        nd.ones((2, 2)).broadcast_to(shape)


def test_in_place_gives_a_view_and_leaves_the_array():
    x = nd.array([[1.0, 2]])
    for view in (
        x.expand_dims(0, inplace=True),
        x.squeeze(inplace=True),
        x.squeeze(0, inplace=True),
        x.flatten(inplace=True),
    ):
        view[:] += 1
    assert x.shape == (1, 2)
    assert x.tolist() == [[5, 6]]


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: CUBE.squeeze((0, 0), inplace=True), "contains duplicate which is not allowed"),
        (lambda: CUBE.squeeze(5, inplace=True), "axis 5 is out of range for 3d array"),
        (lambda: CUBE.squeeze(1, inplace=True), "Squeeze target axis 1 must be size 1, got 2."),
        (lambda: CUBE.expand_dims(9, inplace=True), "axis 9 is out of range for 3d array"),
    ],
)
def test_an_axis_that_does_not_fit_is_an_assertion_error_in_place(call, said):
    with pytest.raises(AssertionError) as caught:
        call()
    assert said in str(caught.value)


def test_a_slice_is_assigned():
    x = nd.zeros((2, 3))
    assert x.slice_assign(nd.ones((1, 2)), (0, 1), (1, 3)) is x
    x.slice_assign_scalar(7.0, (1, 0), (2, 3), (1, 2))
    assert x.tolist() == [[0, 1, 1], [7, 0, 7]]
