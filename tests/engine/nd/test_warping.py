"""Samplers between pixels: what MXNet gave is in `differential/operators`; here the laws."""

from __future__ import annotations

import numpy as np
import pytest

from initlab.engine import nd
from initlab.engine.errors import MXNetError

IMAGES = nd.array(np.random.RandomState(0).normal(size=(2, 3, 4, 5)))
STILL = nd.array([[1.0, 0, 0, 0, 1, 0]] * 2)


def test_the_grid_of_an_image_that_stays_gives_the_image():
    grid = nd.GridGenerator(STILL, "affine", (4, 5))
    np.testing.assert_allclose(
        nd.BilinearSampler(IMAGES, grid).asnumpy(), IMAGES.asnumpy(), atol=1e-5
    )
    same = nd.SpatialTransformer(IMAGES, STILL)
    np.testing.assert_allclose(same.asnumpy(), IMAGES.asnumpy(), atol=1e-5)
    shifts = nd.GridGenerator(nd.zeros((2, 2, 4, 5)), "warp")
    np.testing.assert_allclose(shifts.asnumpy(), grid.asnumpy(), atol=1e-6)


def test_a_region_of_no_image_is_zero():
    rois = nd.array([[-1, 0, 0, 3, 3], [1, 0, 0, 3, 3]])
    found = nd.contrib.ROIAlign(IMAGES, rois, (2, 2), 1.0)
    assert (found[0].asnumpy() == 0).all()
    assert (found[1].asnumpy() != 0).all()


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (
            lambda: nd.GridGenerator(STILL, "affine"),
            "affine takes data (batch, 6) and a target_shape",
        ),
        (lambda: nd.GridGenerator(STILL, "turn"), "Invalid Input: 'turn'"),
        (lambda: nd.BilinearSampler(IMAGES, IMAGES), "grid must be (batch, 2, h, w)"),
        (
            lambda: nd.contrib.ROIAlign(IMAGES, STILL, (1, 1), 1.0, position_sensitive=True),
            "is not here",
        ),
    ],
)
def test_what_does_not_fit_is_refused(call, said):
    with pytest.raises(MXNetError) as caught:
        call()
    assert said in str(caught.value)
