"""Layers that torch does not have; tests/runner/torch/test_export.py loads each kind that it has."""

from __future__ import annotations

import pytest

from initlab.runner.errors import ConfigError
from initlab.runner.export.export import export

QUIET = ["probe=none", "diagnose=false"]


def test_a_layer_without_a_counterpart_is_named_and_nothing_is_written(only_run, tmp_path):
    plugin = tmp_path / "own.py"
    plugin.write_text(
        "from dataclasses import dataclass\n"
        "from initlab.engine.gluon import nn\n"
        "from initlab.runner.layers import Layer, register\n"
        "@register\n@dataclass\nclass Strange(Layer):\n"
        "    def build(self, context):\n        return nn.Dense(3, dtype=context.dtype)\n"
    )
    listed = "model.layers=[{kind: dense, name: a, units: 4}, {kind: strange, name: b}]"
    folder = only_run("--plugin", str(plugin), "init=normal", listed, *QUIET)
    with pytest.raises(ConfigError) as said:
        export(folder, "torch")
    text = str(said.value)
    assert text.startswith(
        "model.layers.1: layer 'b' is a strange, which has no counterpart in torch. Known: dense, "
    )
    assert not list(folder.parent.glob("*.safetensors"))


@pytest.mark.parametrize(
    ("listed", "shape", "said"),
    [
        (
            "{kind: batch_norm, name: a, axis: 2}",
            "4,9",
            "model.layers.0.axis: must be 1, where torch's BatchNorm has it, got 2",
        ),
        (
            "{kind: layer_norm, name: a, axis: 1}",
            "4,9",
            "model.layers.0.axis: must be -1, the last, where torch's LayerNorm has it, got 1",
        ),
    ],
)
def test_an_option_that_torchs_layer_lacks_is_named(only_run, listed, shape, said):
    words = [f"model.layers=[{listed}]", f"model.input=[{shape}]"]
    with pytest.raises(ConfigError) as error:
        export(only_run("init=normal", *words, *QUIET), "torch")
    assert str(error.value) == said
