"""Pooling: gradients, what is asked of the array library, and values."""

from __future__ import annotations

import numpy as np
import op_checks
from directions import check, convolutions, few, seeds
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
    convolutions(),
    st.sampled_from(["max", "avg"]),
    st.sampled_from(["valid", "full"]),
    st.booleans(),
    seeds,
)
def test_pooling(case, pool_type, convention, count_include_pad, seed):
    shape, _, options = case
    kernel = options["kernel"]
    pad = tuple(
        min(p, k - 1) for p, k in zip(options["pad"], kernel, strict=True)
    )  # a window must hold something
    space = tuple(max(n, k) for n, k in zip(shape[2:], kernel, strict=True))
    given_options = {
        "stride": options["stride"],
        "pad": pad,
        "pooling_convention": convention,
        "count_include_pad": count_include_pad,
    }
    distinct = (
        np.random.default_rng(seed)
        .permutation(np.prod((*shape[:2], *space)))
        .reshape(*shape[:2], *space)
        / 7.0
    )
    check(lambda x: nd.Pooling(x, kernel, pool_type, **given_options), distinct, seed=seed)
