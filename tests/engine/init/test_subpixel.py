"""ICNR: convolutions before a pixel shuffle."""

from __future__ import annotations

import math

import numpy as np
import pytest
from described import described, law

from initlab.engine import init, laws, nd
from initlab.engine.gluon.contrib.nn import PixelShuffle2D
from initlab.engine.streams import Key


def test_icnr_repeats_sub_kernels_so_that_a_pixel_shuffle_gives_blocks_of_one_colour():
    chosen = law("icnr", described("up.weight", 8, 3, 1, 1), init=init.He())
    assert chosen == laws.Repeated(laws.Normal(0.0, math.sqrt(2 / 3)), 4)
    weight = chosen.draw(Key(0, "up.weight"), (8, 3, 1, 1))[:, :, 0, 0]
    image = np.random.Generator(np.random.PCG64(1)).normal(size=(1, 3, 5, 4))
    channels = np.einsum("oi,bihw->bohw", weight, image)
    shuffled = PixelShuffle2D(2)(nd.array(channels)).asnumpy().reshape(1, 2, 5, 2, 4, 2)
    assert (shuffled == shuffled[:, :, :, :1, :, :1]).all()


def test_icnr_leaves_what_has_no_kernel_to_its_initializer_and_counts_each_axis():
    assert law("icnr", described("fc.weight", 7, 3)) == init.He().law(described("fc.weight", 7, 3))
    assert law("icnr", described("up.weight", 6, 3, 3), upscale=3).times == 3
    with pytest.raises(ValueError, match=r"must run over outputs and divide by 2\^2"):
        law("icnr", described("up.weight", 6, 3, 3, 3))
