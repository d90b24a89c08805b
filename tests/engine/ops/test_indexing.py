"""Parts of an array: gradients, what is asked of the array library, and values."""

from __future__ import annotations

import op_checks


def test_a_gradient_is_that_of_finite_differences(primitive):
    op_checks.check_first_gradient(*primitive)


def test_a_gradients_gradient_is_that_of_finite_differences(primitive):
    op_checks.check_second_gradient(*primitive)


def test_numpy_is_called_through_xp_only(primitive):
    op_checks.check_calls_only_xp(*primitive)


def test_a_primitive_runs_on_what_cupy_has(primitive):
    op_checks.check_on_what_cupy_has(*primitive)
