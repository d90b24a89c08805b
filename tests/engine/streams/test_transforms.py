"""Words become values: close to the float64 transform, and within bounds."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest

from initlab.engine import streams
from initlab.engine.streams import Key


def test_normals_follow_the_float64_transform_closely():
    count = 400_000
    w = streams.words(Key(0, "accuracy"), 0, count)
    low, high = (w[0::2] | np.uint32(1)).astype(np.float32).astype(np.float64), w[1::2]
    radius = np.sqrt(-2 * np.log(low / 2**32)) * np.where(high & 1, -1.0, 1.0)
    angle = np.pi / 2 * (high.view(np.int32) * 2.0**-31)
    z = streams.normal(Key(0, "accuracy"), 0, count, 0, 1).astype(np.float64)
    worst = max(
        np.abs(z[0::2] - radius * np.cos(angle)).max(),
        np.abs(z[1::2] - radius * np.sin(angle)).max(),
    )
    assert worst < 1e-6


@pytest.mark.parametrize(
    ("low", "high"), [(-2.0, 2.0), (-1.0, 1.0), (-0.5, np.inf), (-np.inf, np.inf), (2.5, 6.0)]
)
def test_truncated_normals_follow_the_inverse_distribution_function_closely(low, high):
    w = streams.words(Key(0, "accuracy"), 0, 20_000)
    first, last = streams.phi_word(low), streams.phi_word(high)
    p = [2 * (first + (int(word) * (last - first) >> 32)) + 1 for word in w]  # of 2^33
    tails = np.array([min(x, 2**33 - x) for x in p]).astype(
        np.float32
    )  # rounded as the stream does: the error is the inverse's alone
    exact = np.array(
        [
            math.copysign(NormalDist().inv_cdf(float(tail) / 2**33), x - 2**32)
            for tail, x in zip(tails, p, strict=True)
        ]
    )
    z = streams.truncated_normal(Key(0, "accuracy"), 0, w.size, 0, 1, low, high).astype(np.float64)
    far = np.abs(exact) > 0.1
    assert (np.abs(z - exact)[far] / np.abs(exact)[far]).max() <= 1.7e-6
    assert np.abs(z - exact)[~far].max(initial=0) < 1e-6


def test_a_uniform_never_gives_its_upper_bound():
    values = streams.uniform(
        Key(0, "bound"), 0, 1_000_000, 1.0, np.nextafter(np.float32(1), np.float32(2))
    )
    assert (values == 1.0).all()
