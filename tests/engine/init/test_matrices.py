"""Orthogonal, DeltaOrthogonal, Identity and ResidualScaled."""

import math

import numpy as np
import pytest

from initlab.engine import init, laws, nd, streams
from initlab.engine.errors import LawError
from initlab.engine.gluon import nn
from initlab.engine.init import Description

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


@pytest.mark.parametrize("make", [init.Haar, init.DeltaOrthogonal, init.Orthogonal, init.Identity])
def test_a_vector_is_refused_by_name(make):
    with pytest.raises(
        ValueError,
        match="^(Orthogonal|Identity) initializer cannot be applied to vector d_bias. It requires at least 2D.$",
    ):
        make().law(VECTOR)


def test_an_orthogonal_matrix_needs_all_its_axes():
    with pytest.raises(LawError, match="an axis is empty"):
        init.Haar().law(described(0, 3))


SPACE = ("spatial", "spatial")


@pytest.mark.parametrize(
    ("shape", "roles", "law"),
    [
        ((4, 3, 5, 5), None, laws.DeltaOrthogonal(2.0, True)),
        ((4, 3, 5, 5), ("out", "in", *SPACE), laws.DeltaOrthogonal(2.0, True)),
        ((4, 5, 5, 3), ("out", *SPACE, "in"), laws.DeltaOrthogonal(2.0, True, 0, 3)),
        ((3, 4, 5, 5), ("in", "out", *SPACE), laws.DeltaOrthogonal(2.0, True, 1, 0)),
        ((8, 2, 5, 5), ("out*4", "in", *SPACE), laws.DeltaOrthogonal(2.0, True, 0, 1, 4)),
        ((8, 5, 5, 3), ("in*4", *SPACE, "out"), laws.DeltaOrthogonal(2.0, True, 3, 0, 4)),
        ((3, 5), None, laws.Haar(2.0, True)),
        ((3, 5), ("group", "out"), laws.Haar(2.0, True)),
        ((9, 3), ("out*3", "in"), laws.Haar(2.0, True)),
    ],
)
def test_a_delta_orthogonal_kernel_has_its_channels_where_the_roles_say(shape, roles, law):
    assert init.DeltaOrthogonal(2.0, True).law(Description("w", "w", shape, roles=roles)) == law
    assert all(found.ok for found in law.invariants(law.draw(streams.Key(0, "w"), shape)))


@pytest.mark.parametrize(
    "layer",
    [
        lambda init_: nn.Conv2D(6, 3, in_channels=4, weight_initializer=init_),
        lambda init_: nn.Conv2D(6, 3, in_channels=4, layout="NHWC", weight_initializer=init_),
        lambda init_: nn.Conv1D(6, 4, in_channels=6, groups=3, weight_initializer=init_),
        lambda init_: nn.Conv2DTranspose(6, 3, in_channels=4, groups=2, weight_initializer=init_),
        lambda init_: nn.Conv3D(5, 3, in_channels=2, weight_initializer=init_),
    ],
)
def test_every_convolution_can_be_delta_orthogonal(layer):
    made = layer(init.DeltaOrthogonal())
    made.initialize()
    inputs, outputs = (
        made.weight.shape[
            made.weight.roles.index(next(r for r in made.weight.roles if r.startswith(n)))
        ]
        for n in ("in", "out")
    )
    values = made.weight.data().asnumpy()
    assert np.count_nonzero(values) == inputs * outputs
    assert (values.astype(np.float64) ** 2).sum() == pytest.approx(
        min(4, inputs) if made._groups == 1 else made._in_channels, rel=1e-5
    )


@pytest.mark.parametrize(
    "roles",
    [("out", "group", "spatial"), ("out", "in*2", "spatial"), ("spatial", "out", "spatial")],
)
def test_a_kernel_with_other_axes_cannot_be_delta_orthogonal(roles):
    with pytest.raises(
        ValueError,
        match="^w: a delta-orthogonal kernel has one axis of outputs and one of inputs, not ",
    ):
        init.DeltaOrthogonal().law(Description("w", "w", (4, 2, 3), roles=roles))


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
    assert init.ResidualScaled(0.02, layers).law(VECTOR) == laws.Normal(
        0.0, 0.02 / math.sqrt(2 * layers)
    )
