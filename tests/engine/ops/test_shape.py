"""Same elements, another shape or order: gradients, what is asked of the array library, and values."""

from __future__ import annotations

import op_checks
from directions import check, drawn, few, seeds, sides
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
@given(
    st.lists(sides, min_size=1, max_size=3),
    st.integers(0, 2),
    st.lists(sides, min_size=1, max_size=3),
    seeds,
)
def test_arrays_end_to_end(shape, axis, lengths, seed):
    axis %= len(shape)
    parts = [drawn(seed + i, *shape[:axis], n, *shape[axis + 1 :]) for i, n in enumerate(lengths)]
    check(lambda *xs: nd.concat(*xs, dim=axis), *parts, seed=seed)
