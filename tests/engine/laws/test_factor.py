"""Orthonormal factors: two ways to the same one, and a check of it."""

from __future__ import annotations

import numpy as np
import pytest

from initlab.engine.errors import LawError
from initlab.engine.laws.factor import check_factor, householder_q, lapack_q, tree_sum

GAUSSIAN = np.random.default_rng(0).normal(size=(70, 40))


@pytest.mark.parametrize("factor", [householder_q, lapack_q])
def test_columns_are_orthonormal_and_those_of_their_matrix(factor):
    q = factor(GAUSSIAN)
    np.testing.assert_allclose(q.T @ q, np.eye(40), atol=1e-13)
    assert (np.diagonal(q.T @ GAUSSIAN) > 0).all()
    check_factor(q, GAUSSIAN)


def test_both_ways_lead_to_the_same_factor():
    np.testing.assert_allclose(householder_q(GAUSSIAN), lapack_q(GAUSSIAN), atol=1e-12)


def test_a_column_with_the_wrong_sign_is_found():
    q = lapack_q(GAUSSIAN)
    q[:, 3] *= -1
    with pytest.raises(LawError, match="1 of 40 columns of an orthogonal factor"):
        check_factor(q, GAUSSIAN)


def test_a_tree_sum_is_the_sum_over_the_first_axis():
    terms = np.arange(21.0).reshape(7, 3)
    assert tree_sum(terms).tolist() == terms.sum(axis=0).tolist()
