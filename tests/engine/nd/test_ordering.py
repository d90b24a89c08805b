"""`nd`: sorting and choosing the largest, against what MXNet 1.9.1 gave and by what must hold."""

from __future__ import annotations

import nd_checks
import numpy as np
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
@given(SHAPES, st.data())
def test_sorting_agrees_with_numpy_and_ranks_with_the_order(shape, data):
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    array = np.random.default_rng(3).integers(0, 4, shape).astype("float64")
    x = nd.array(array, dtype="float64")
    np.testing.assert_array_equal(nd.sort(x, axis=axis).asnumpy(), np.sort(array, axis=axis))
    np.testing.assert_array_equal(
        nd.argsort(x, axis=axis, dtype="int64").asnumpy(),
        np.argsort(array, axis=axis, kind="stable"),
    )
    k = data.draw(st.integers(1, shape[axis]))
    mask = nd.topk(x, axis=axis, k=k, ret_typ="mask").asnumpy()
    assert (mask.sum(axis=axis) == k).all()
    values_, _ = nd.topk(x, axis=axis, k=k, ret_typ="both")
    np.testing.assert_array_equal(
        np.sort(values_.asnumpy(), axis=axis),
        np.take(np.sort(array, axis=axis), range(shape[axis] - k, shape[axis]), axis),
    )
