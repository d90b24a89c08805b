"""`random.seed`, and the distributions beside it."""

from __future__ import annotations

import numpy as np
import pytest

from initlab.engine import nd, random, streams


def test_a_seed_brings_the_same_values_back_whatever_device_is_named():
    random.seed(5)
    first = nd.random.normal(shape=3).tolist()
    random.seed(5, ctx="all")
    assert nd.random.normal(shape=3).tolist() == first
    random.seed(6)
    assert nd.random.normal(shape=3).tolist() != first


@pytest.mark.parametrize(
    "wrong", ["a", 1.5, True, None, np.float64(1), np.bool_(True), np.ones(2, int)]
)
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


@pytest.mark.parametrize("kind", [np.int64, np.uint8, np.int32])
def test_a_seed_may_be_numpys(kind):
    random.seed(kind(3))
    first = nd.random.uniform(shape=2).tolist()
    random.seed(3)
    assert nd.random.uniform(shape=2).tolist() == first
    streams.seed(kind(3))
    assert nd.random.uniform(shape=2).tolist() == first


@pytest.mark.parametrize("wrong", [2**64, -(2**63) - 1, 10**30])
def test_a_seed_beyond_64_bits_is_refused_and_not_another_seed(wrong):
    with pytest.raises(ValueError, match=r"seed_state must be -2\^63 ... 2\^64-1, got "):
        random.seed(wrong)
