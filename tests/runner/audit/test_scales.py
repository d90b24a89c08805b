"""Every rule that gives a spread is named, and why several do."""

from __future__ import annotations

import math

import numpy as np
import pytest

from initlab.runner.audit.found import Found
from initlab.runner.audit.scales import Facts, scales, why

NONE = Facts()


def names(std, shape, facts=NONE, kind="normal", elements=10**6):
    found = Found(kind, elements, {"std": std})
    return [one.name for one in scales(found, shape, facts)]


@pytest.mark.parametrize(
    ("std", "name"),
    [
        (math.sqrt(2 / 300), "he, fan_in"),
        (math.sqrt(2 / 200), "he, fan_out"),
        (math.sqrt(2 / 500), "xavier"),
        (math.sqrt(1 / 300), "lecun, fan_in"),
        (1 / 30, "torch's default, 1/sqrt(3 fan_in)"),
        (0.02, "0.02"),
        (0.02 * 0.8796256610342398, "0.02 cut at 2σ and not corrected"),
    ],
)
def test_rules_are_named_by_their_spread(std, name):
    assert names(std, (200, 300)) == [name]


def test_facts_of_the_network_name_more():
    facts = Facts(layers=12, hidden=768, std=0.006)
    assert "0.006/sqrt(2L), L=12" in names(0.006 / math.sqrt(24), (768, 768), facts)
    assert "1/sqrt(hidden), hidden=768" in names(768**-0.5, (100, 50), facts)


def test_rules_that_cannot_be_told_apart_are_all_named():
    found = Found("normal", 10**6, {"std": math.sqrt(2 / 64)})
    named = scales(found, (64, 64), NONE)
    assert [one.name for one in named] == ["he, fan_in", "he, fan_out"]
    assert why(found, named) == "they are the same number for this shape"
    few = Found("normal", 16, {"std": 0.5})
    assert why(few, scales(few, (4, 4), NONE)).startswith("they lie within the error of")
    assert why(found, named[:1]) == ""


def test_a_bound_that_was_rounded_is_still_named():
    bound = float(np.float32(1 / 8).astype(np.float16)) * (1 + 2**-9)
    found = Found("uniform", 10**4, {"std": bound / math.sqrt(3), "bound": bound})
    assert scales(found, (64, 64), NONE) == []
    assert scales(found, (64, 64), NONE, "bfloat16")[0].name.startswith("torch's default")


def test_gains_of_orthogonal_matrices_are_named():
    found = Found("orthogonal", 100, {"gain": math.sqrt(2)})
    assert [one.name for one in scales(found, (10, 10), NONE)] == ["gain sqrt(2)"]


def test_what_is_not_drawn_has_no_scale():
    assert scales(Found("zeros", 10), (10,), NONE) == []
