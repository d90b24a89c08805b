"""Identity."""

import numpy as np
import pytest

from initlab.engine import init, laws, nd
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
