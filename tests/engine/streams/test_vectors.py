"""Every vector of initlab-1, bit for bit: words, laws, whole tensors by their SHA-256."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from initlab.engine import digest, laws, streams

VECTORS = json.loads(
    (Path(__file__).parents[2] / "vectors" / "exact-streams.json").read_text(encoding="utf-8")
)


def test_the_vectors_are_of_the_version_in_use():
    assert VECTORS["version"] == streams.version() == "initlab-1"


def test_digests_are_those_of_the_vectors():
    expected = VECTORS["digests"]
    tensors = {
        "0.weight": laws.Normal(0, 0.01).draw(streams.Key(0, "0.weight"), (256, 20)),
        "0.bias": np.zeros(256, np.float32),
        "1.weight": laws.Uniform(-0.07, 0.07).draw(streams.Key(0, "1.weight"), (700, 700)),
    }
    found = {path: digest.tensor_digest(values) for path, values in tensors.items()}
    assert {path: value.hex() for path, value in found.items()} == {
        p: d["tensor-v1"] for p, d in expected["tensors"].items()
    }
    root = digest.root_digest(found, {"2.weight": "1.weight"}).hex()
    assert root == expected["root-v1 of the three, alias 2.weight -> 1.weight"]
    assert (
        digest.tensor_digest(np.zeros((0, 3), np.float32)).hex()
        == expected["tensor-v1 of an empty float32 (0, 3)"]
    )
