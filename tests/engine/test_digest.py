"""Digests tell apart what differs and nothing else."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from initlab.engine import digest, native


def test_the_layout_in_memory_does_not_matter():
    array = np.arange(12, dtype=np.float32).reshape(3, 4)
    assert (
        digest.tensor_digest(array)
        == digest.tensor_digest(np.asfortranarray(array))
        == digest.tensor_digest(array.astype(">f4"))
    )


@pytest.mark.parametrize(
    "other",
    [
        np.arange(12, dtype=np.float32),
        np.arange(12, dtype=np.float64).reshape(3, 4),
        np.arange(1, 13, dtype=np.float32).reshape(3, 4),
    ],
    ids=["shape", "dtype", "values"],
)
def test_shape_dtype_and_values_matter(other):
    array = np.arange(12, dtype=np.float32).reshape(3, 4)
    assert digest.tensor_digest(array) != digest.tensor_digest(other)


def test_negative_zero_is_another_tensor():
    assert digest.tensor_digest(np.zeros(1, np.float32)) != digest.tensor_digest(
        -np.zeros(1, np.float32)
    )


def test_the_order_of_names_does_not_matter_but_an_alias_does():
    a, b = digest.tensor_digest(np.zeros(1)), digest.tensor_digest(np.ones(1))
    root = digest.root_digest({"a": a, "b": b}, {})
    assert root == digest.root_digest({"b": b, "a": a}, {})
    assert root != digest.root_digest({"a": a, "b": b}, {"c": "a"})
    assert digest.root_digest({"a": a}, {"c": "a"}) != digest.root_digest({"a": a, "c": a}, {})


@pytest.mark.parametrize("size", [0, 1, 1 << 20, (2 << 20) - 1, 2 << 20, (5 << 20) + 7])
@pytest.mark.parametrize("in_pairs", [True, False])
def test_leaves_have_their_sha256_whoever_hashes_them(size, in_pairs, monkeypatch):
    if not in_pairs:
        monkeypatch.setattr(native, "pair_hasher", lambda: None)
    elif native.pair_hasher() is None:
        pytest.skip("no SHA instructions here")
    data = np.random.default_rng(size).integers(0, 256, size + 1, np.uint8)[1:]
    leaves = [data[start : start + digest.LEAF] for start in range(0, size, digest.LEAF)]
    expected = [hashlib.sha256(leaf.tobytes()).digest() for leaf in leaves]
    assert digest.leaf_digests(data) == expected
    assert digest.tensor_digest(data, 2) == digest.from_leaves("uint8", (size,), expected)
