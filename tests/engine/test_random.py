"""`random.seed`, and the distributions beside it."""

from __future__ import annotations

import pytest

from initlab.engine import nd, random


def test_a_seed_brings_the_same_values_back_whatever_device_is_named():
    random.seed(5)
    first = nd.random.normal(shape=3).tolist()
    random.seed(5, ctx="all")
    assert nd.random.normal(shape=3).tolist() == first
    random.seed(6)
    assert nd.random.normal(shape=3).tolist() != first


@pytest.mark.parametrize("wrong", ["a", 1.5, True, None])
def test_a_seed_is_a_whole_number(wrong):
    with pytest.raises(ValueError, match="seed_state must be int"):
        random.seed(wrong)


def test_a_negative_seed_is_taken_modulo_2_to_the_64():
    random.seed(-1)
    first = nd.random.uniform(shape=2).tolist()
    random.seed(2**64 - 1)
    assert nd.random.uniform(shape=2).tolist() == first


def test_the_distributions_are_those_of_nd():
    assert all(getattr(random, name) is getattr(nd.random, name) for name in ("normal", "randint"))
