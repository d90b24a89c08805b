"""Initializers of transformers."""

from __future__ import annotations

import math

import pytest
from described import described, law

from initlab.engine import laws


def test_t_fixup_follows_huang_et_al():
    options = {
        "layers": 6,
        "encoder": [r"enc\..*"],
        "decoder": [r"dec\..*"],
        "embedding": [r".*embed\.weight"],
    }
    bound = math.sqrt(3 / 8)
    assert law("t_fixup", described("other.weight", 8, 8), **options) == laws.Uniform(-bound, bound)
    scaled = law("t_fixup", described("enc.ffn.weight", 8, 8), **options)
    assert scaled.high == pytest.approx(0.67 * 6**-0.25 * bound)
    scaled = law("t_fixup", described("dec.ffn.weight", 8, 8), **options)
    assert scaled.high == pytest.approx(54**-0.25 * bound)
    roles = ("group", "out")
    for numbers, std in ((16, 0.25), (64, 0.125), (512, 0.04419417382415922)):
        drawn = law("t_fixup", described("embed.weight", 100, numbers, roles=roles), **options)
        assert (type(drawn), drawn.std) == (laws.Normal, pytest.approx(std))


def test_t_fixup_scales_only_the_values_of_packed_weights():
    bound = math.sqrt(3 / 8)
    packed = law(
        "t_fixup",
        described("qkv.weight", 24, 8, roles=("out*3", "in")),
        encoder=[r"qkv\.weight"],
        embedding=[],
        layers=1,
    )
    assert packed.bounds == pytest.approx((bound, bound, 0.67 * bound))
