"""Assertions: what they accept, and MXNet 1.9.1's words when they fail."""

from __future__ import annotations

import numpy as np
import pytest

import initlab.engine as mx
from initlab.engine import nd, test_utils
from initlab.engine.gluon import nn
from initlab.engine.test_utils import assert_almost_equal

MESSAGES = [
    (
        (np.array([1.0, 2]), np.array([1, 2.1])),
        {},
        "Error 4761.904762 exceeds tolerance rtol=1.000000e-05, atol=1.000000e-20 (mismatch 50.000000%).\n"
        "Location of maximum error: (1,), a=2.00000000, b=2.10000000",
    ),
    (
        (nd.array([1.0, 2]), nd.array([1, 2.5])),
        {"rtol": 1e-3, "atol": 1e-3, "names": ("p", "q")},
        "Error 142.857132 exceeds tolerance rtol=1.000000e-03, atol=1.000000e-03 (mismatch 50.000000%).\n"
        "Location of maximum error: (1,), p=2.00000000, q=2.50000000",
    ),
    (
        (1.0, 1.2),
        {},
        "Error 16666.666667 exceeds tolerance rtol=1.000000e-05, atol=1.000000e-20.\n",
    ),
    (
        (np.array([[0.0, 5.0]]), np.zeros((1, 2))),
        {"rtol": 1e-3, "atol": 1e-5},
        "Error 500000.000000 exceeds tolerance rtol=1.000000e-03, atol=1.000000e-05 (mismatch 50.000000%).\n"
        "Location of maximum error: (0, 1), a=5.00000000, b=0.00000000",
    ),
    (
        (np.ones((1, 2)), np.ones(2)),
        {"use_broadcast": False},
        "a.shape = (1, 2) and b.shape = (2,) are not equal",
    ),
]
"""Arguments, options, and what MXNet 1.9.1 says."""


@pytest.mark.parametrize(("arrays", "options", "said"), MESSAGES)
def test_a_difference_is_said_in_mxnets_words(arrays, options, said):
    with pytest.raises(AssertionError) as caught:
        assert_almost_equal(*arrays, **options)
    assert said in str(caught.value)


def test_tolerances_are_those_of_the_dtype():
    one = np.ones(2, np.float32)
    assert_almost_equal(one, one * np.float32(1.0009))
    assert_almost_equal(nd.array(one), one)
    with pytest.raises(AssertionError):
        assert_almost_equal(one.astype(np.float64), one.astype(np.float64) * 1.0001)
    half = np.dtype("float16")
    assert test_utils.get_rtol(None, half) == 1e-2
    assert test_utils.get_atol(0.5) == 0.5
    assert_almost_equal(one, one + 0.5, atol={np.dtype("float32"): 0.6})


def test_nan_and_a_share_of_elements_may_differ():
    test_utils.assert_almost_equal_ignore_nan(np.array([1, np.nan]), np.array([1, 2.0]))
    two, other = np.array([1.0, 2]), np.array([1.0, 3])
    test_utils.assert_almost_equal_with_err(two, other, etol=0.5)
    with pytest.raises(AssertionError, match="Error 33333"):
        test_utils.assert_almost_equal_with_err(two, other, etol=0.4)
    assert_almost_equal(np.array([np.nan]), np.array([np.nan]), equal_nan=True)
    with pytest.raises(AssertionError):
        assert_almost_equal(np.array([np.nan]), np.array([np.nan]))


def test_an_expected_exception():
    test_utils.assert_exception(lambda: int("a"), ValueError)
    with pytest.raises(AssertionError, match="ValueError was not raised"):
        test_utils.assert_exception(lambda: 1, ValueError)


def test_a_test_is_repeated():
    tries = []

    @test_utils.retry(3)
    def passes_at_last():
        tries.append(1)
        assert len(tries) == 3

    passes_at_last()
    tries[:] = [1] * 5
    with pytest.raises(AssertionError):
        passes_at_last()


def test_memory_is_shared_or_not():
    x = nd.array([1.0, 2])
    assert test_utils.same_array(x, x.detach())
    assert not test_utils.same_array(x, x.copy())
    assert x.tolist() == [1, 2]
    assert test_utils.same(x, np.array([1.0, 2]))


def test_random_arrays_have_the_shapes_wanted():
    assert test_utils.rand_ndarray((2, 3)).shape == (2, 3)
    assert [a.shape for a in test_utils.random_arrays((2,), (3, 1))] == [(2,), (3, 1)]
    assert test_utils.random_arrays((2,)).dtype == np.float32
    assert all(1 <= n <= 4 for n in test_utils.rand_shape_3d(4, 4, 4))
    assert len(test_utils.rand_shape_nd(5)) == 5
    assert sorted(test_utils.random_sample([1, 2, 3], 3)) == [1, 2, 3]
    with pytest.raises(ValueError, match="stype cannot be 'csr': there are no sparse arrays here"):
        test_utils.rand_ndarray((2, 2), "csr")


def test_sums_over_axes():
    x = np.arange(6.0).reshape(2, 3)
    assert test_utils.np_reduce(x, (0, 1), True, np.sum).tolist() == [[15]]
    assert test_utils.collapse_sum_like(x, (1, 3)).tolist() == [[3, 5, 7]]
    assert test_utils.collapse_sum_like(x, (3,)).tolist() == [3, 5, 7]


def test_the_default_device_can_be_set_and_set_back():
    try:
        test_utils.set_default_context(mx.cpu(1))
        assert nd.ones((1,)).context == test_utils.default_context() == mx.cpu(1)
        with mx.cpu(2):
            assert nd.ones((1,)).context == mx.cpu(2)
    finally:
        test_utils.set_default_context(mx.cpu())
    assert nd.ones((1,)).context == mx.cpu()


def test_variables_are_set_for_a_block(monkeypatch):
    monkeypatch.setenv("INITLAB_TRIAL", "before")
    with test_utils.environment("INITLAB_TRIAL", "1"):
        assert mx.util.getenv("INITLAB_TRIAL") == "1"
    with test_utils.environment({"INITLAB_TRIAL": None}):
        assert mx.util.getenv("INITLAB_TRIAL") is None
    assert mx.util.getenv("INITLAB_TRIAL") == "before"


def test_a_block_is_the_same_hybridized():
    test_utils.check_gluon_hybridize_consistency(
        lambda: nn.HybridLambda("tanh"), [nd.array([[0.5, 1]])], numpy_func=np.tanh
    )
    test_utils.check_gluon_hybridize_consistency(lambda: nn.Dense(2), [nd.array([[0.5, 1]])])


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_two_optimizers_are_compared(dtype):
    class Own(mx.optimizer.Optimizer):
        def create_state(self, index, weight):
            return None

        def update(self, index, weight, grad, state):
            self._update_count(index)
            weight[:] = weight - self._get_lr(index) * (grad + self._get_wd(index) * weight)

    options = {"learning_rate": 0.1, "wd": 0.2, "multi_precision": True}
    sgd = mx.optimizer.SGD(**options)
    test_utils.compare_optimizer(Own(**options), sgd, [(2, 3), (4,)], dtype, compare_states=False)
    with pytest.raises(AssertionError):
        test_utils.compare_optimizer(Own(learning_rate=0.3), mx.optimizer.SGD(), (2, 3), "float32")


def test_what_is_not_here_says_why():
    with pytest.raises(
        AttributeError, match="check_numeric_gradient is not here: it needs symbols"
    ):
        test_utils.check_numeric_gradient(None, None)
