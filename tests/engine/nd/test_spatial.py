"""Operators over space: what MXNet gave is in `differential/operators`; here what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from initlab.engine import nd
from initlab.engine.errors import MXNetError

IMAGES = nd.ones((1, 2, 4, 4))


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: nd.UpSampling(nd.ones((2, 2)), scale=2, sample_type="nearest"), "UpSampling: data must have 4 axes"),
        (lambda: nd.UpSampling(IMAGES, scale=2, sample_type="cubic"), "valid values are: {'bilinear', 'nearest'}"),
        (lambda: nd.UpSampling(IMAGES, scale=2, sample_type="bilinear"), "bilinear takes data and weight"),
        (lambda: nd.LRN(IMAGES, nsize=2), "LRN only supports odd values for local_size"),
        (lambda: nd.contrib.BilinearResize2D(IMAGES, mode="like"), "mode 'like' needs the array"),
        (lambda: nd.contrib.BilinearResize2D(IMAGES, mode="half"), "Invalid Input: 'half'"),
        (lambda: nd.contrib.AdaptiveAvgPooling2D(nd.ones((3,))), "AdaptiveAvgPooling2D: data must have 4 axes"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(call, said):
    with pytest.raises(MXNetError) as caught:
        call()
    assert said in str(caught.value)


def test_resizing_keeps_corners_or_means():
    x = nd.array(np.random.RandomState(0).normal(size=(1, 1, 4, 6)))
    large = nd.contrib.BilinearResize2D(x, height=7, width=11)
    np.testing.assert_allclose(large.asnumpy()[:, :, ::2, ::2], x.asnumpy(), rtol=1e-5)
    small = nd.contrib.AdaptiveAvgPooling2D(x, (2, 3))
    np.testing.assert_allclose(small.mean().asscalar(), x.mean().asscalar(), rtol=1e-5)


def test_the_gradient_of_a_region_goes_to_its_largest_element():
    x = nd.array(np.arange(16.0).reshape(1, 1, 4, 4))
    x.attach_grad()
    from initlab.engine import autograd

    with autograd.record():
        y = nd.ROIPooling(x, nd.array([[0, 0, 0, 1, 1]]), (1, 1), 1.0)
    y.backward()
    assert y.tolist() == [[[[5]]]]
    assert x.grad.asnumpy().nonzero()[2:] == (1, 1)
