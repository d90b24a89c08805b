"""Resizing: what MXNet gave is in `differential/pictures`; here the laws."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from initlab.engine.nd import resampling

sizes = st.integers(1, 12)


@settings(max_examples=60, deadline=None)
@given(sizes, sizes, sizes, sizes, st.sampled_from(range(4)), st.integers(0, 255))
def test_a_constant_image_stays_constant(height, width, new_height, new_width, method, value):
    image = np.full((height, width, 2), value, np.uint8)
    found = resampling.resized(image, new_height, new_width, method)
    assert found.shape == (new_height, new_width, 2)
    assert found.dtype == np.uint8
    assert (found == value).all()


@pytest.mark.parametrize("method", range(4))
def test_the_same_size_is_a_copy(method):
    image = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    found = resampling.resized(image, 2, 4, method)
    assert (found == image).all()
    assert found is not image


def test_shrinking_by_area_keeps_the_mean():
    image = np.random.default_rng(0).uniform(size=(12, 10, 1)).astype(np.float32)
    for size in ((4, 5), (5, 3), (6, 5)):
        found = resampling.resized(image, *size, resampling.AREA)
        np.testing.assert_allclose(found.mean(), image.mean(), rtol=1e-5)


def test_other_dtypes_keep_their_dtype():
    image = np.arange(16, dtype=np.int32).reshape(4, 4, 1)
    assert resampling.resized(image, 2, 2, resampling.NEAREST).dtype == np.int32


def test_cubic_interpolation_of_bytes_is_cut_to_bytes():
    image = np.zeros((4, 8, 1), np.uint8)
    image[:, 4:] = 255
    found = resampling.resized(image, 4, 31, resampling.CUBIC)
    assert (found.min(), found.max()) == (0, 255)
    floats = resampling.resized(image.astype(np.float32), 4, 31, resampling.CUBIC)
    assert floats.min() < 0
    assert floats.max() > 255
    assert np.abs(np.clip(floats, 0, 255) - found).max() <= 1
