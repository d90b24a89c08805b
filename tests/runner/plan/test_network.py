"""Networks of a config: layers and parameters that are shared."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from initlab.engine import formats


def read(folder: Path) -> dict:
    return json.loads((folder / "manifest.json").read_text(encoding="utf-8"))


def tensors_of(folder: Path) -> dict[str, np.ndarray]:
    content = read(folder)
    return formats.get(content["snapshot"]).read(folder / content["snapshot"]).tensors


def test_a_shared_parameter_is_stored_once_with_an_alias_table(only_run):
    folder = only_run("model=shared", "snapshot=npz")
    snapshot = formats.get("npz").read(folder / "snapshot.npz")
    assert set(snapshot.tensors) == {"0.weight", "0.bias", "1.weight", "1.bias"}
    assert snapshot.aliases == {"2.weight": "1.weight", "2.bias": "1.bias"}


def test_single_parameters_can_be_shared(only_run):
    layers = "model.layers=[{kind: dense, name: a, units: 20}, {kind: dense, name: b, units: 20}]"
    for mode in ("deferred", "eager"):
        folder = only_run(
            "init=he",
            layers,
            "+model.share={ends: [b.weight, a.weight]}",
            f"init_mode={mode}",
            "probe=backward",
        )
        assert set(tensors_of(folder)) == {"a.weight", "a.bias", "b.bias"}
        assert read(folder)["aliases"] == {"b.weight": "a.weight"}
        alone = only_run("init=he", layers, f"init_mode={mode}")
        assert tensors_of(folder)["a.weight"].tobytes() == tensors_of(alone)["a.weight"].tobytes()
