"""Arrays from values, shapes and ranges."""

from __future__ import annotations

import nd_checks
import numpy as np
import pytest

from initlab.engine import cpu, nd
from initlab.engine.errors import MXNetError


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


@pytest.mark.parametrize("make", [nd.ones, nd.zeros])
def test_an_array_is_filled_where_it_is(make):
    out = nd.array([[5.0, 6]], dtype="float64")
    assert make((1, 2), out=out) is out
    assert out.tolist() == make((1, 2)).tolist()
    assert out.dtype == np.float64
    with pytest.raises(MXNetError, match=r"Provided = \[1,2\], inferred shape=\[2,3\]"):
        make((2, 3), out=out)


def test_a_matrix_of_ones_on_the_diagonal_is_written_where_it_is():
    out = nd.zeros((2, 3))
    assert nd.eye(2, 3, out=out) is out
    assert out.tolist() == [[1, 0, 0], [0, 1, 0]]


@pytest.mark.parametrize("make", [nd.zeros, nd.empty])
def test_arrays_are_dense(make):
    assert make((2, 2), stype="default").shape == (2, 2)
    with pytest.raises(
        ValueError, match="stype cannot be 'row_sparse': there are no sparse arrays"
    ):
        make((2, 2), stype="row_sparse")


def test_a_negative_length_is_an_error():
    with pytest.raises(MXNetError, match=r"zeros: the length of an axis cannot be negative, got"):
        nd.zeros((-1, 2))
    assert nd.arange(3, infer_range=True).tolist() == [0, 1, 2]
