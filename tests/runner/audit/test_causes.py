"""The likely cause of a contradiction is named, each by a planted fault."""

from __future__ import annotations

import math

import numpy as np
import pytest
from fresh import trained

from initlab.engine import laws
from initlab.engine.streams import Key
from initlab.runner.audit.causes import cause
from initlab.runner.audit.infer import infer
from initlab.runner.audit.scales import Facts

SHAPE = (300, 200)
DECLARED = laws.Normal(0, 0.02)


def named(values, law=DECLARED, facts=None):
    return cause(values, infer(values), law, values.shape, facts or Facts(layers=12))


def normal(std):
    return laws.Normal(0, std).draw(Key(0, "x"), SHAPE)


@pytest.mark.parametrize(
    ("ratio", "name", "said"),
    [
        (math.sqrt(24), "residual-scaling", "1/sqrt(2L), L=12, is missing"),
        (1 / math.sqrt(24), "residual-scaling", "it is scaled by 1/sqrt(2L)"),
        (0.8796256610342398, "truncation", "not corrected"),
        (1 / 0.8796256610342398, "truncation", "is corrected for a cut"),
        (math.sqrt(3), "bound-for-std", "its std is what its bound should be"),
        (1 / math.sqrt(3), "bound-for-std", "its bound is what its std should be"),
        (math.sqrt(200 / 300), "fan", "fan_out 300 in place of fan_in 200"),
        (math.sqrt(300 / 200), "fan", "axes swapped?"),
        (math.sqrt(500 / 300), "packed", "of each of 3 blocks"),
        (2.5, "spread", "times the declared 0.02 (declared is Normal(0, 0.02))"),
    ],
)
def test_a_wrong_spread_is_explained_by_its_ratio(ratio, name, said):
    found, text = named(normal(0.02 * ratio))
    assert (found, said in text) == (name, True), text


def test_causes_that_cannot_be_told_apart_are_all_said():
    values = laws.Normal(0, 0.02 * math.sqrt(3)).draw(Key(0, "y"), (30, 10))
    assert "its std is what its bound should be" in named(values)[1]
    assert "fan" in named(values)[1]


@pytest.mark.parametrize(
    ("values", "name"),
    [
        (np.zeros(SHAPE, np.float32), "constant"),
        (np.eye(*SHAPE, dtype=np.float32), "law"),
        (trained(SHAPE), "trained"),
        (np.full(SHAPE, np.nan, np.float32), "unset"),
        (np.random.default_rng(0).laplace(size=5000), "unknown"),
        (laws.Uniform(-0.02 * 3**0.5, 0.02 * 3**0.5).draw(Key(0, "u"), SHAPE), "law"),
        (normal(0.02).astype(np.float16).astype(np.float32), "rounded"),
    ],
)
def test_other_causes_are_named(values, name):
    assert named(values)[0] == name
