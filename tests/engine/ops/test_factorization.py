"""Factors of matrices: gradients, what is asked of the array library, and what must hold."""

from __future__ import annotations

import numpy as np
import op_checks
import pytest

from initlab.engine import nd
from initlab.engine.errors import MXNetError


def test_a_gradient_is_that_of_finite_differences(primitive):
    op_checks.check_first_gradient(*primitive)


def test_a_gradients_gradient_is_that_of_finite_differences(primitive):
    op_checks.check_second_gradient(*primitive)


def test_numpy_is_called_through_xp_only(primitive):
    op_checks.check_calls_only_xp(*primitive)


def test_a_primitive_runs_on_what_cupy_has(primitive):
    op_checks.check_on_what_cupy_has(*primitive)


def test_factors_make_the_matrix_again():
    x = np.random.RandomState(0).normal(size=(2, 3, 3))
    symmetric = nd.array(x @ x.swapaxes(1, 2), dtype="float64")
    low = nd.linalg.potrf(symmetric).asnumpy()
    np.testing.assert_allclose(low @ low.swapaxes(1, 2), symmetric.asnumpy(), rtol=1e-9)
    u, v = (y.asnumpy() for y in nd.linalg.syevd(symmetric))
    np.testing.assert_allclose(u.swapaxes(1, 2) * v[:, None] @ u, symmetric.asnumpy(), rtol=1e-9)
    q, low = (y.asnumpy() for y in nd.linalg.gelqf(nd.array(x, dtype="float64")))
    np.testing.assert_allclose(low @ q, x, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda x: nd.linalg.potrf(-x), "not positive definite"),
        (lambda x: nd.linalg.inverse(x * 0), "Singular matrix"),
        (lambda x: nd.linalg.potrf(x[0]), r"linalg.potrf: needs square matrices, got shape \(2,\)"),
        (lambda x: nd.linalg.gelqf(nd.ones((3, 2))), "at most as many rows as columns"),
        (lambda x: nd.linalg.maketrian(nd.ones((2, 5))), "5 elements make no triangle"),
        (
            lambda x: nd.linalg.det(x.astype("int32")),
            "only supports floating point types, not int32",
        ),
    ],
)
def test_what_has_no_factor_is_an_error(call, said):
    with pytest.raises(MXNetError, match=said):
        call(nd.array([[2.0, 0], [0, 3]]))
