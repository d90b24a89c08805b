"""`semantics=torch stream=torch-2.13`: a declared network has the values that torch's constructors give
(tests/vectors/record_torch_layers.py).
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from torch_nets import NETS, words_of

from initlab.engine import formats

RECORDED = json.loads(
    (Path(__file__).parents[1] / "vectors" / "torch-layers.json").read_text(encoding="utf-8")
)["nets"]


def digests(folder):
    found = formats.get("safetensors").read(folder / "snapshot.safetensors")
    tensors = {**found.tensors, **{a: found.tensors[b] for a, b in found.aliases.items()}}
    return {path: hashlib.sha256(v.tobytes()).hexdigest()[:16] for path, v in tensors.items()}


@pytest.mark.parametrize("name", NETS)
def test_a_declared_network_has_the_values_of_torchs_constructors(name, only_run):
    got = digests(only_run(*words_of(name)))
    wanted = RECORDED[name]
    assert {path: got.get(path) for path in wanted} == wanted
