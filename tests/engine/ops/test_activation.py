"""Activations, softmax and dropout: gradients, what is asked of the array library, and values."""

from __future__ import annotations

import numpy as np
import op_checks
from directions import axes_of_a_shape, check, drawn, few, seeds
from hypothesis import given
from hypothesis import strategies as st

from initlab.engine import nd


def test_a_gradient_is_that_of_finite_differences(primitive):
    op_checks.check_first_gradient(*primitive)


def test_a_gradients_gradient_is_that_of_finite_differences(primitive):
    op_checks.check_second_gradient(*primitive)


def test_numpy_is_called_through_xp_only(primitive):
    op_checks.check_calls_only_xp(*primitive)


def test_a_primitive_runs_on_what_cupy_has(primitive):
    op_checks.check_on_what_cupy_has(*primitive)


@few
@given(axes_of_a_shape(), st.sampled_from(["softmax", "log_softmax"]), seeds)
def test_softmax_over_any_axis(case, name, seed):
    shape, axis = case
    check(
        lambda x: getattr(nd, name)(x, axis=axis if isinstance(axis, int) else -1),
        drawn(seed, *shape),
        seed=seed,
    )


def test_gelu_by_tanh_is_gpt2s_and_near_the_exact_one():
    x = nd.array([-2.0, -0.5, 1.0, 3.0], dtype="float64")
    np.testing.assert_allclose(
        nd.gelu_tanh(x).asnumpy(), [-0.04540231, -0.15428599, 0.84119199, 2.99636261], rtol=1e-7
    )
    np.testing.assert_allclose(nd.gelu_tanh(x).asnumpy(), nd.gelu(x).asnumpy(), atol=5e-4)
