"""Reductions over axes: gradients, what is asked of the array library, and values."""

from __future__ import annotations

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


REDUCTIONS = ("sum", "mean", "norm", "max", "min", "prod", "nansum")


@few
@given(axes_of_a_shape(), st.sampled_from(REDUCTIONS), st.booleans(), seeds)
def test_reductions_over_any_axes(case, name, keepdims, seed):
    shape, axis = case
    check(
        lambda x: getattr(nd, name)(x, axis=axis, keepdims=keepdims), drawn(seed, *shape), seed=seed
    )
