"""GPT-2 and its parts in a config: counts, ties, presets, and the same values in both modes."""

from __future__ import annotations

import json

import numpy as np
import pytest

from initlab.engine import formats
from initlab.runner.check.verify import verify

TINY = [
    "model=gpt2",
    "init=gpt2",
    "data=tokens",
    "data.vocabulary=97",
    "model.layers.0.input_dim=97",
    "model.layers.0.output_dim=32",
    "model.layers.2.times=2",
    "model.layers.2.layers.0.heads=4",
    "model.input=[16]",
]


WIDTH, DEPTH, HEADS = (
    "model.layers.0.output_dim",
    "model.layers.2.times",
    "model.layers.2.layers.0.heads",
)


@pytest.mark.parametrize(
    ("words", "count"),
    [
        ([], "124,439,808"),
        ([f"{WIDTH}=1024", f"{DEPTH}=24", f"{HEADS}=16"], "354,823,168"),
        ([f"{WIDTH}=1600", f"{DEPTH}=48", f"{HEADS}=25"], "1,557,611,200"),
    ],
)
def test_the_plan_counts_gpt2s_parameters_and_allocates_none(words, count, command):
    done = command(
        "task=plan", "model=gpt2", "init=gpt2", "data=tokens", "data.vocabulary=50257", *words
    )
    assert done.code == 0, done.err
    assert f"{count} elements" in done.out
    assert "= tokens.weight" in done.out


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_a_small_one_has_the_same_values_in_both_modes_and_is_verified(dtype, only_run):
    folders = [
        only_run(*TINY, f"init_mode={mode}", "probe=backward", f"dtype={dtype}")
        for mode in ("deferred", "eager")
    ]
    roots = {
        json.loads((folder / "manifest.json").read_text())["digests"]["root"] for folder in folders
    }
    assert len(roots) == 1
    assert all(verify(folder).code == 0 for folder in folders)
    figures = json.loads((folders[0] / "stats.json").read_text())["figures"]
    assert figures["loss"] == pytest.approx(np.log(97), abs=0.1)


def test_the_preset_is_gpt2s(only_run):
    folder = only_run(*TINY)
    rows = {row["path"]: row for row in json.loads((folder / "plan.json").read_text())["rows"]}
    assert rows["head.weight"]["alias_of"] == "tokens.weight"
    assert rows["blocks.1.block.attention.qkv_weight"]["std"] == 0.02
    assert (rows["tokens.weight"]["std"], rows["positions.weight"]["std"]) == (0.02, 0.01)
    assert (
        rows["blocks.1.block.attention.projection_weight"]["std"]
        == rows["blocks.0.block.contract.weight"]["std"]
        == 0.01
    )
    assert (
        rows["blocks.0.block.attention.qkv_weight"]["fan_in"],
        rows["blocks.0.block.attention.qkv_weight"]["fan_out"],
    ) == (32, 32)
    values = formats.get("safetensors").read(folder / "snapshot.safetensors").tensors
    assert (values["blocks.0.block.norm1.gamma"] == 1).all()
    assert not values["blocks.0.block.expand.bias"].any()


def test_an_option_of_the_block_goes_to_what_it_names(only_run):
    layer = "{kind: transformer_block, name: b, units: 4, heads: 2, projection_initializer: {kind: constant, value: 0.5}, weight_initializer: one}"
    values = (
        formats.get("safetensors")
        .read(only_run(f"model.layers=[{layer}]", "model.input=[3,4]") / "snapshot.safetensors")
        .tensors
    )
    assert (values["b.attention.projection_weight"] == 0.5).all() and (
        values["b.contract.weight"] == 0.5
    ).all()
    assert (values["b.attention.qkv_weight"] == 1).all() and (values["b.expand.weight"] == 1).all()


def test_parts_of_blocks_can_share(only_run):
    layers = "model.layers=[{kind: transformer_block, name: a, units: 4, heads: 2}, {kind: transformer_block, name: b, units: 4, heads: 2}]"
    folder = only_run(
        layers,
        "model.input=[3,4]",
        "+model.share.x=[a.attention.qkv_weight,b.attention.qkv_weight]",
    )
    aliases = json.loads((folder / "manifest.json").read_text())["aliases"]
    assert aliases["b.attention.qkv_weight"] == "a.attention.qkv_weight"


def test_a_small_one_learns_its_batch(only_run):
    words = [
        *TINY,
        "init.positions=0.1",
        "probe=train",
        "probe.optimizer=adam",
        "probe.learning_rate=0.01",
        "probe.epochs=30",
    ]
    rows = json.loads((only_run(*words) / "stats.json").read_text())["training"]
    assert rows[-1]["loss"] < rows[0]["loss"] / 2


@pytest.mark.parametrize(
    ("layer", "said"),
    [
        (
            "{kind: transformer_block, units: 4, heads: 3}",
            "model.layers.0.heads: must divide units (4), got 3",
        ),
        (
            "{kind: transformer_block, units: 4, heads: 2, norm: mid}",
            "model.layers.0.norm: cannot be 'mid' - Known: post, pre.",
        ),
        (
            "{kind: multi_head_attention, units: 4, heads: 2, dropout: 2}",
            "model.layers.0.dropout: must lie in [0, 1), got 2",
        ),
        (
            "{kind: multi_head_attention, units: 6, heads: 2}",
            "needs sequences (batch, length, 6), got (2, 3, 4)",
        ),
        (
            "{kind: position_embedding, length: 2, units: 4}",
            "of at most 2 positions, got (2, 3, 4)",
        ),
    ],
)
def test_invalid_arguments_are_refused(layer, said, command):
    done = command(f"model.layers=[{layer}]", "model.input=[3,4]")
    assert (done.code, said in done.err) == (2, True), done.err
