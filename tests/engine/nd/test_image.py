"""Functions of images: MXNet's messages, chance, and what differs from MXNet on purpose."""

from __future__ import annotations

import colorsys

import numpy as np
import pytest

from initlab.engine import nd, streams
from initlab.engine.errors import MXNetError

PICTURE = nd.array(np.random.RandomState(0).randint(0, 256, (5, 7, 3)), dtype="uint8")
FLAT = nd.ones((5, 7))


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: nd.image.to_tensor(FLAT), "Input image must have shape (height, width, channels), or (N, height, width, channels) but got [5,7]"),
        (lambda: nd.image.normalize(FLAT), "Input tensor must have shape (channels, height, width), or (N, channels, height, width), but got [5,7]"),
        (lambda: nd.image.normalize(PICTURE), "must be the channel dimension with either 1 or 3 elements, but got input with shape [5,7,3]"),
        (lambda: nd.image.normalize(nd.ones((3, 2, 2)), (0.5, 0.4)), "Invalid mean for input with shape [3,2,2]. mean must have either 1 or 3 elements, but got [0.5,0.4]"),
        (lambda: nd.image.resize(FLAT, 3), "Input image dimension should be 3 or 4 but got 2"),
        (lambda: nd.image.resize(PICTURE, (4, 5, 6)), "Input size dimension must be 1 or 2, but got 3"),
        (lambda: nd.image.resize(PICTURE, (0, 5)), "param.size[0] > 0 (0 vs. 0) : Input width should be greater than 0, but got 0"),
        (lambda: nd.image.resize(PICTURE, -1), "param.size[0] > 0 (-1 vs. 0) : Input size should be greater than 0, but got -1"),
        (lambda: nd.image.resize(PICTURE, 4, False, 4), "interp cannot be 4: 0 (nearest), 1 (linear), 2 (cubic), 3 (area) are here"),
        (lambda: nd.image.crop(PICTURE, 1, 2, 30, 3), "x + width should not be greater than input width"),
        (lambda: nd.image.crop(PICTURE, 0, 0, 0, 4), "Input height and width must be greater than 0"),
        (lambda: nd.image.flip_left_right(PICTURE.expand_dims(0)), "Input image must have shape (height, width, channels), but got [1,5,7,3]"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_in_mxnets_words(call, said):
    with pytest.raises(MXNetError) as caught:
        call()
    assert said in str(caught.value)


def test_rows_and_columns_are_reversed_whole():
    """MXNet leaves the middle one of an odd number unwritten."""
    values = PICTURE.asnumpy()
    assert (nd.image.flip_left_right(PICTURE).asnumpy() == values[:, ::-1]).all()
    assert (nd.image.flip_top_bottom(PICTURE).asnumpy() == values[::-1]).all()


def test_saturation_is_the_distance_from_grey():
    """MXNet takes 0.114 times blue for grey."""
    x = PICTURE.astype("float32")
    grey = nd.image.random_saturation(x, 0, 0).asnumpy()
    expected = x.asnumpy() @ np.array([0.299, 0.587, 0.114])
    np.testing.assert_allclose(grey, np.repeat(expected[..., None], 3, -1), rtol=1e-5)


@pytest.mark.parametrize("turn", [0.0, 0.2, -0.4, 0.95])
def test_a_turn_of_the_hue_keeps_lightness_and_saturation(turn):
    found = nd.image.random_hue(PICTURE.astype("float32"), turn, turn).asnumpy() / 255
    for at in np.ndindex(5, 7):
        hue, light, strength = colorsys.rgb_to_hls(*(PICTURE.asnumpy()[at] / 255.0))
        np.testing.assert_allclose(
            found[at], colorsys.hls_to_rgb((hue + turn) % 1, light, strength), atol=2e-6
        )


def test_bytes_are_cut_to_their_range():
    assert nd.image.random_brightness(PICTURE, 9, 9).asnumpy().max() == 255
    dark = nd.image.adjust_lighting(PICTURE, (9.0, 0, 0)).asnumpy()
    assert dark.min() == 0
    assert dark.dtype == np.uint8


def test_chance_comes_from_the_ambient_stream():
    def drawn():
        streams.seed(4)
        flipped = [
            bool((nd.image.random_flip_left_right(PICTURE) != PICTURE).sum()) for _ in range(40)
        ]
        return flipped, nd.image.random_color_jitter(PICTURE, 0.5, 0.5, 0.5, 0.5).tolist()

    first, second = drawn(), drawn()
    assert first == second
    assert 8 < sum(first[0]) < 32
    assert nd.image.random_flip_top_bottom(PICTURE, 1.0)[0].tolist() == PICTURE[4].tolist()


def test_no_jitter_and_no_light_change_nothing():
    assert nd.image.random_color_jitter(PICTURE, 0, 0, 0, 0) is PICTURE
    assert nd.image.random_lighting(PICTURE, 0) is PICTURE
    assert nd.image.random_lighting(PICTURE, 0.5).dtype == np.uint8
    grey = PICTURE[:, :, :1]
    assert nd.image.random_hue(grey, 0.5, 0.5).tolist() == grey.tolist()
