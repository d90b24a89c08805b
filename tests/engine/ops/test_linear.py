"""Matrix products: gradients, what is asked of the array library, and values."""

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
@given(sides, sides, sides, st.booleans(), st.booleans(), seeds)
def test_matrix_products(n, m, k, transpose_a, transpose_b, seed):
    a, b = (
        drawn(seed, *((m, n) if transpose_a else (n, m))),
        drawn(seed + 1, *((k, m) if transpose_b else (m, k))),
    )
    check(lambda x, y: nd.dot(x, y, transpose_a, transpose_b), a, b, seed=seed)
