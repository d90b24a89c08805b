"""`nd`: taking by index, and products, against what MXNet 1.9.1 gave and by what must hold."""

from __future__ import annotations

import nd_checks
import numpy as np
import pytest
from directions import check
from hypothesis import given, settings
from hypothesis import strategies as st

from initlab.engine import nd

FEW = settings(deadline=None, max_examples=40)

SHAPES = st.lists(st.integers(1, 4), min_size=1, max_size=4).map(tuple)


def values(shape, seed):
    return np.random.default_rng(seed).uniform(0.4, 1.6, shape)


def test_a_function_gives_what_mxnet_gave(number):
    nd_checks.check_recorded(number)


def test_a_function_stays_on_its_device(number):
    nd_checks.check_stays_on_its_device(number)


def test_a_function_runs_on_what_cupy_has(number):
    nd_checks.check_on_what_cupy_has(number)


def test_a_call_fails_as_mxnets_does(failing):
    nd_checks.check_fails(*failing)


@FEW
@given(
    st.lists(st.integers(1, 3), min_size=2, max_size=2),
    st.integers(1, 3),
    st.integers(1, 3),
    st.integers(1, 3),
    st.booleans(),
    st.booleans(),
)
def test_products_of_matrices_are_numpys_and_have_their_gradient(
    batch, n, k, m, transpose_a, transpose_b
):
    a = values((*batch, *((k, n) if transpose_a else (n, k))), 1)
    b = values((*batch, *((m, k) if transpose_b else (k, m))), 2)
    out = nd.batch_dot(
        nd.array(a, dtype="float64"), nd.array(b, dtype="float64"), transpose_a, transpose_b
    )
    expected = np.matmul(
        a.swapaxes(-1, -2) if transpose_a else a, b.swapaxes(-1, -2) if transpose_b else b
    )
    np.testing.assert_allclose(out.asnumpy(), expected, rtol=1e-12)
    check(lambda x, y: nd.batch_dot(x, y, transpose_a, transpose_b), a, b)
    check(lambda x, y: nd.dot(x, y), values((2, n, k), 3), values((k, m), 4))


def test_scatter_adds_up_what_falls_on_one_place():
    """MXNet keeps one of them, which is not said to be any certain one."""
    assert nd.scatter_nd(nd.array([1, 2, 3]), nd.array([[0, 0, 1]]), shape=(2,)).tolist() == [3, 3]


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int64", "int32", "float32"])
def test_what_is_scattered_to_one_place_is_added_up_in_any_dtype(dtype):
    values, places = np.array([100, 27, 3, 1]), np.array([[0, 0, 1, 1]])
    strict = pytest.importorskip(
        "strict", reason="array_api_strict is not installed", exc_type=ImportError
    )
    with strict.strict_device() as device, device:
        found = nd.scatter_nd(
            nd.array(values, dtype=dtype), nd.array(places, dtype="int64"), shape=(3,)
        )
        assert found.dtype == np.dtype(dtype).type
        assert found.asnumpy().tolist() == [127, 4, 0]
