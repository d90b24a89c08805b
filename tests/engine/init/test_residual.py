"""Initializers of residual networks."""

from __future__ import annotations

import math

import pytest
from described import described, law

from initlab.engine import init, laws
from initlab.engine.errors import OptionError
from initlab.engine.init import Description

VECTOR = Description("d_bias", "0.bias", (3,))


def test_fixup_follows_zhang_et_al():
    options = {
        "branches": 16,
        "layers": 3,
        "branch": [r"body\..*fc1\.weight"],
        "zero": [r".*fc2\.weight", r"head\.weight"],
    }
    assert law("fixup", described("stem.weight", 8, 8), **options) == laws.Normal(0.0, 0.5)
    assert law("fixup", described("body.0.fc1.weight", 8, 8), **options) == laws.Normal(
        0.0, 0.5 * 16**-0.25
    )
    assert law("fixup", described("body.0.fc2.weight", 8, 8), **options) == laws.Constant(0.0)
    assert law("fixup", described("head.weight", 8, 8), **options) == laws.Constant(0.0)
    one = options | {"layers": 1}
    assert law("fixup", described("body.0.fc1.weight", 8, 8), **one) == laws.Normal(0.0, 0.5)


def test_skipinit_is_0_for_multipliers_and_he_elsewhere():
    by_hand = {"multiplier": [r".*\.scale"]}
    assert law("skipinit", described("body.0.scale", 1), **by_hand) == laws.Constant(0.0)
    assert law("skipinit", described("body.0.fc.weight", 8, 8), **by_hand) == laws.Normal(0.0, 0.5)
    chosen = init.by_name("skipinit")(multiplier=[r".*\.scale"])
    assert chosen.claims("body.0.scale") and not chosen.claims("body.0.fc.bias")
    with pytest.raises(OptionError, match="'x' matches nothing"):
        init.by_name("skipinit")(multiplier=["x"]).check(["a.weight"])


@pytest.mark.parametrize("layers", [1, 2, 12, 48])
def test_residual_outputs_shrink_with_the_root_of_twice_the_depth(layers):
    assert init.ResidualScaled(0.02, layers).law(VECTOR) == laws.Normal(
        0.0, 0.02 / math.sqrt(2 * layers)
    )
