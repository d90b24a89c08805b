"""Orthogonal, Identity and ResidualScaled."""

import math

import numpy as np
import pytest

from engine import init, laws, nd, streams
from engine.errors import LawError
from engine.init import Description

VECTOR = Description("d_bias", "0.bias", (3,))


def described(*shape):
    return Description("w", "w", shape)


def filled(initializer, *shape, dtype="float32"):
    array = nd.zeros(shape, dtype=dtype)
    initializer(init.InitDesc("w_weight"), array)
    return array.asnumpy()


@pytest.mark.parametrize("shape", [(3, 5), (5, 3), (4, 4), (6, 2, 3, 3)])
@pytest.mark.parametrize("exact", [False, True])
def test_the_shorter_side_of_an_orthogonal_matrix_is_orthonormal_times_scale(shape, exact):
    made = init.Haar(2.0, exact)
    assert made.law(described(*shape)) == laws.Haar(2.0, exact)
    matrix = filled(made, *shape).reshape(shape[0], -1)
    side = matrix if len(matrix) <= len(matrix.T) else matrix.T
    assert np.allclose(side @ side.T, 4 * np.eye(len(side)), atol=1e-5)


def test_matrices_drawn_one_after_the_other_differ():
    streams.seed(3)
    first, second = filled(init.Haar(), 3, 5), filled(init.Haar(), 3, 5)
    assert not np.allclose(first, second)
    streams.seed(3)
    assert np.array_equal(filled(init.Haar(), 3, 5), first)
    assert np.array_equal(filled(init.Haar(), 3, 5), second)


@pytest.mark.parametrize("make", [init.Haar, init.Orthogonal, init.Identity])
def test_a_vector_is_refused_by_name(make):
    with pytest.raises(
        ValueError, match="^(Orthogonal|Identity) initializer cannot be applied to vector d_bias. It requires at least 2D.$"
    ):
        make().law(VECTOR)


def test_an_orthogonal_matrix_needs_all_its_axes():
    with pytest.raises(LawError, match="an axis is empty"):
        init.Haar().law(described(0, 3))


@pytest.mark.parametrize("shape", [(3, 3), (2, 4), (4, 2)])
def test_the_identity_has_its_gain_on_the_diagonal(shape):
    assert init.Identity(0.5).law(described(*shape)) == laws.Structured("identity", 0.5)
    assert np.array_equal(filled(init.Identity(0.5), *shape), 0.5 * np.eye(*shape))


def test_a_convolution_that_is_the_identity_has_it_at_the_centre_tap():
    kernel = filled(init.Identity(), 2, 2, 3, 3)
    assert np.array_equal(kernel[:, :, 1, 1], np.eye(2))
    assert np.abs(kernel).sum() == 2


@pytest.mark.parametrize("layers", [1, 2, 12, 48])
def test_residual_outputs_shrink_with_the_root_of_twice_the_depth(layers):
    assert init.ResidualScaled(0.02, layers).law(VECTOR) == laws.Normal(0.0, 0.02 / math.sqrt(2 * layers))
