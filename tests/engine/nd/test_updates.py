"""Steps of optimizers as functions. `tests/differential/updates.py` holds them against MXNet."""

from __future__ import annotations

import numpy as np
import pytest

from initlab.engine import nd
from initlab.engine.errors import MXNetError


def test_the_weight_goes_into_out_and_states_change_in_place():
    weight, mom = nd.array([1.0, 2.0]), nd.array([0.5, 0.0])
    after = nd.sgd_mom_update(weight, nd.array([1.0, -1.0]), mom, lr=0.1, momentum=0.8)
    assert after.asnumpy() == pytest.approx([1.3, 2.1])
    assert mom.asnumpy() == pytest.approx([0.3, 0.1])
    assert weight.asnumpy().tolist() == [1, 2]
    assert nd.sgd_update(weight, nd.array([1.0, -1.0]), lr=0.5, out=weight) is weight
    assert weight.asnumpy().tolist() == [0.5, 2.5]


def test_a_narrow_weight_follows_the_wide_one():
    narrow, wide = nd.array([1.0], dtype="float16"), nd.array([1.0])
    for _ in range(4):
        nd.mp_sgd_update(narrow, nd.array([1.0], dtype="float16"), wide, lr=1e-4, out=narrow)
    assert narrow.dtype is np.float16
    assert wide.asnumpy() == pytest.approx([0.9996])
    assert narrow.asnumpy() == wide.asnumpy().astype(np.float16)


def test_adamw_leaves_the_gradient_alone_unlike_mxnet():
    grad = nd.array([1.0, 2.0])
    state = nd.zeros((2,)), nd.zeros((2,))
    nd.contrib.adamw_update(nd.ones((2,)), grad, *state, nd.array([0.5]), lr=0.1, eta=1.0)
    assert grad.asnumpy().tolist() == [1, 2]


@pytest.mark.parametrize("scale", [0.0, float("inf"), float("nan")])
def test_adamw_skips_a_step_that_is_scaled_to_nothing(scale):
    state = nd.ones((2,)), nd.ones((2,))
    after = nd.contrib.adamw_update(nd.ones((2,)), nd.ones((2,)), *state, scale, lr=1, eta=1)
    assert [a.asnumpy().tolist() for a in (after, *state)] == [[1, 1]] * 3


def test_size_limits_the_weights_that_are_updated():
    weights, rest = [nd.ones((1,)) for _ in range(3)], [[nd.ones((1,))] * 3 for _ in range(3)]
    made = nd.contrib.multi_adamw_update(
        weights, *rest, 1.0, lrs=[0.1] * 3, wds=[0.0] * 3, etas=[1.0] * 3, size=2
    )
    assert len(made) == 2


def test_norms_and_finiteness_of_several_arrays():
    a, b = nd.array([3.0, 4.0]), nd.array([[1.0, float("nan")]])
    assert nd.multi_sum_sq(a, a * 2, num_arrays=2).asnumpy().tolist() == [25, 100]
    assert nd.all_finite(a).asnumpy().tolist() == [1]
    assert nd.multi_all_finite(a, b, num_arrays=2).asnumpy().tolist() == [0]


@pytest.mark.parametrize(("cast_narrow", "dtype"), [(False, np.float32), (True, np.float16)])
def test_arrays_of_two_dtypes_get_one(cast_narrow, dtype):
    arrays = nd.ones((1,)), nd.ones((1,), dtype="float16")
    cast = nd.amp_multicast(*arrays, num_outputs=2, cast_narrow=cast_narrow)
    assert [one.dtype for one in cast] == [dtype, dtype]


def test_another_number_of_arrays_than_announced_is_refused():
    with pytest.raises(MXNetError, match="multi_sum_sq: 1 arrays are given, 2 are announced"):
        nd.multi_sum_sq(nd.ones((1,)), num_arrays=2)
