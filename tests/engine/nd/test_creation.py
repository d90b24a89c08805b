"""Arrays from values, shapes and ranges."""

from __future__ import annotations

import nd_checks
import numpy as np
import pytest

from initlab.engine import cpu, nd


def test_a_call_fails_as_mxnets_does(failing):
    nd_checks.check_fails(*failing)


def test_values_become_float32_unless_a_dtype_is_given():
    assert nd.array([1, 2]).dtype is np.float32
    assert nd.array([1, 2], dtype="int8").tolist() == [1, 2]
    assert nd.array([[1.5]], ctx=cpu(1)).context == cpu(1)


@pytest.mark.parametrize(("make", "value"), [(nd.zeros, 0), (nd.ones, 1)])
def test_a_filled_array_has_its_shape_dtype_and_device(make, value):
    x = make((2, 3), ctx=cpu(1), dtype="float16")
    assert (x.shape, x.dtype, x.context) == ((2, 3), np.float16, cpu(1))
    assert set(x.asnumpy().ravel()) == {value}
    assert make(4).shape == (4,)


def test_full_like_keeps_shape_and_dtype():
    x = nd.full_like(nd.zeros((2, 2), dtype="float64"), 7)
    assert (x.tolist(), x.dtype) == ([[7, 7], [7, 7]], np.float64)


def test_ranges_end_before_their_stop_and_linspace_at_it():
    assert nd.arange(1, 7, 2).tolist() == [1, 3, 5]
    assert nd.arange(2, repeat=2).tolist() == [0, 0, 1, 1]
    assert nd.linspace(0, 1, 5).tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert nd.eye(2, 3, 1).tolist() == [[0, 1, 0], [0, 0, 1]]
