"""Identity."""

import numpy as np
import pytest

from initlab.engine import gluon, init, laws, nd
from initlab.engine.init import Description


def described(*shape):
    return Description("w", "w", shape)


def filled(initializer, *shape, dtype="float32"):
    array = nd.zeros(shape, dtype=dtype)
    initializer(init.InitDesc("w_weight"), array)
    return array.asnumpy()


@pytest.mark.parametrize("shape", [(3, 3), (2, 4), (4, 2)])
def test_the_identity_has_its_gain_on_the_diagonal(shape):
    assert init.Identity(0.5).law(described(*shape)) == laws.Structured("identity", 0.5)
    assert np.array_equal(filled(init.Identity(0.5), *shape), 0.5 * np.eye(*shape))


def test_a_convolution_that_is_the_identity_has_it_at_the_centre_tap():
    kernel = filled(init.Identity(), 2, 2, 3, 3)
    assert np.array_equal(kernel[:, :, 1, 1], np.eye(2))
    assert np.abs(kernel).sum() == 2


@pytest.mark.parametrize(
    ("shape", "roles", "channels", "blocks"),
    [
        ((8, 1, 3, 3), ("out*8", "in", "spatial", "spatial"), (0, 1), 8),
        ((8, 3, 3, 8), ("out", "spatial", "spatial", "in"), (0, 3), 1),
        ((4, 3, 3, 8), ("in", "spatial", "spatial", "out"), (0, 3), 1),
        ((16, 4), ("out*4", "in"), (0, 1), 4),
        ((100, 8), ("group", "out"), (0, 1), 1),
    ],
)
def test_the_diagonal_is_that_of_the_roles(shape, roles, channels, blocks):
    law = init.Identity().law(Description("w", "w", shape, roles=roles))
    assert law == laws.Structured("identity", 1.0, channels, blocks)


def test_every_output_of_a_grouped_convolution_has_its_input():
    layer = gluon.nn.Conv2D(8, 3, padding=1, groups=8, in_channels=8, use_bias=False)
    layer.initialize(init.Identity())
    x = nd.random.normal(shape=(1, 8, 5, 5))
    assert np.array_equal(layer(x).asnumpy(), x.asnumpy())


def test_a_channels_last_convolution_gives_its_input():
    layer = gluon.nn.Conv2D(3, 3, padding=1, in_channels=3, use_bias=False, layout="NHWC")
    layer.initialize(init.Identity())
    x = nd.random.normal(shape=(1, 5, 5, 3))
    assert np.array_equal(layer(x).asnumpy(), x.asnumpy())
