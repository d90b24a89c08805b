"""Exports of finished runs: what is refused, what is written where, and that values stream through.

tests/runner/torch/test_export.py loads exports with torch and transformers.
"""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from initlab.engine import formats
from initlab.runner.errors import ConfigError, EvidenceError, StorageError
from initlab.runner.evidence.folder import RunFolder
from initlab.runner.evidence.runs import runs
from initlab.runner.export import tensors
from initlab.runner.export.export import export

QUIET = ["probe=none", "diagnose=false"]
GPT2 = ["model=gpt2", "data=tokens", "data.vocabulary=61", "model.layers.0.input_dim=61"]
GPT2 += ["model.layers.0.output_dim=24", "model.layers.2.times=2", "model.input=[16]"]
GPT2 += ["model.layers.2.layers.0.heads=3", "model.layers.1.length=16", *QUIET]


@pytest.fixture
def mlp(only_run) -> Path:
    return only_run("init=normal", *QUIET)


def stored(path: Path) -> dict[str, np.ndarray]:
    return formats.get(path).read(path).tensors


def test_the_file_lies_beside_the_run_and_holds_its_values(mlp):
    done = export(mlp, "torch")
    assert done.path == mlp.parent / f"{mlp.name}.torch.safetensors"
    found, saved = stored(done.path), RunFolder(mlp).snapshot
    assert (done.tensors, done.bytes) == (4, sum(v.nbytes for v in saved.tensors.values()))
    assert found.keys() == {"0.weight", "0.bias", "1.weight", "1.bias"}
    assert all(np.array_equal(found[name], saved[name]) for name in found)
    header = done.path.read_bytes()[8:]
    written = json.JSONDecoder().raw_decode(header.decode("latin-1"))[0]["__metadata__"]
    assert written["format"] == "pt"
    assert json.loads(written["initlab"])["metadata"] == {
        "root-v1": RunFolder(mlp).manifest.digests.root
    }


def test_the_folders_run_is_as_it_was_and_the_export_is_no_run(mlp, command):
    export(mlp, "torch")
    assert command("verify", str(mlp)).code == 0
    assert len(runs(mlp.parent)) == 1


def test_a_folder_for_transformers_is_no_run(only_run):
    folder = only_run("init=normal", *GPT2)
    done = export(folder, "transformers")
    assert sorted(one.name for one in done.path.iterdir()) == ["config.json", "model.safetensors"]
    assert len(runs(folder.parent)) == 1


def test_an_export_that_is_there_stays_and_another_files_bytes_are_not_lost(
    mlp, only_run, tmp_path
):
    target = tmp_path / "a.safetensors"
    export(mlp, "torch", target)
    before = target.stat().st_mtime_ns
    assert export(mlp, "torch", target).path == target
    assert target.stat().st_mtime_ns == before
    other = only_run("init=normal", "seed=1", *QUIET)
    with pytest.raises(StorageError, match="is there with another content - remove it, or give"):
        export(other, "torch", target)
    assert target.stat().st_mtime_ns == before
    export(other, "torch", target, force=True)
    assert np.array_equal(stored(target)["0.weight"], RunFolder(other).snapshot["0.weight"])


@pytest.mark.parametrize("block", [1, 7, 1 << 20])
def test_values_are_the_same_whatever_is_moved_at_a_time(monkeypatch, tmp_path, block):
    monkeypatch.setattr(tensors, "BLOCK", block)
    values = np.arange(35, dtype=np.float32).reshape(5, 7)
    made = [
        tensors.same("same", values),
        tensors.swapped("swapped", values),
        tensors.swapped("empty", values[:0]),
        tensors.repeated("repeated", values[0], 2),
        tensors.filled("filled", (3, 5), "bfloat16", 1),
        tensors.filled("count", (), "int64", 0),
        tensors.same("big", values.astype(">f4")),
    ]
    placed = tensors.laid_out(made, {})
    path = tmp_path / "a.safetensors"
    tensors.write(path, tensors.content(made, placed))
    found = stored(path)
    assert np.array_equal(found["same"], values) and np.array_equal(found["big"], values)
    assert np.array_equal(found["swapped"], values.T)
    assert found["empty"].shape == (7, 0)
    assert np.array_equal(found["repeated"], np.repeat(values[0], 2))
    assert found["filled"].shape == (3, 5) and (found["filled"] == 1).all()
    assert found["count"].shape == () and found["count"] == 0


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


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["model=mlp", *QUIET],
            "model.layers.0: transformers' GPT-2 has embedding here, got dense. GPT-2 is embedding, "
            "position_embedding, transformer_block …, layer_norm, dense - give --as torch",
        ),
        (
            ["model=residual_mlp", *QUIET],
            "model.layers.1.layers.0: transformers' GPT-2 has no residual. GPT-2 is",
        ),
        (
            [*GPT2, "model.layers.2.layers.0.causal=false"],
            "model.layers.2.layers.0.causal: must be True in transformers' GPT-2, got False - give --as torch",
        ),
        (
            [*GPT2, "model.layers.2.layers.0.activation=softsign"],
            "model.layers.2.layers.0.activation: must be one of gelu_tanh, gelu, relu, silu, tanh, sigmoid "
            "for transformers, got 'softsign' - give --as torch",
        ),
        (
            [*GPT2, "+model.layers.3.epsilon=1e-6"],
            "model.layers.3.epsilon: must be 1e-05, as in the blocks, got 1e-06 - give --as torch",
        ),
        (
            [*GPT2, "model.layers.4.use_bias=true"],
            "model.layers.4.use_bias: must be False in transformers' GPT-2, got True - give --as torch",
        ),
        (
            [*GPT2, "model.share.table=[blocks.0.block,blocks.1.block]"],
            "model.share: 'blocks.1.block.norm1.gamma' is tied to 'blocks.0.block.norm1.gamma', "
            "transformers' GPT-2 ties only the head - give --as torch",
        ),
    ],
)
def test_what_is_no_gpt2_is_said_at_its_place(only_run, words, said):
    folder = only_run("init=normal", *words)
    with pytest.raises(ConfigError) as error:
        export(folder, "transformers")
    assert str(error.value).startswith(said)
    assert [one for one in folder.parent.iterdir() if one != folder] == []


def test_what_is_no_whole_run_with_values_is_refused(mlp, only_run):
    with pytest.raises(EvidenceError, match="the run kept no snapshot - run it with snapshot="):
        export(only_run("init=normal", "snapshot=none", *QUIET), "torch")
    part = only_run("init=normal", "init_mode=streamed", "shard=1/2", *QUIET)
    with pytest.raises(EvidenceError, match="is part 1/2 of a run - join the parts first"):
        export(part, "torch")
    with pytest.raises(EvidenceError, match="no such folder"):
        export(mlp / "nowhere", "torch")
    (mlp / "manifest.json").rename(mlp / "moved.json")
    with pytest.raises(EvidenceError, match="no manifest, so the run did not finish"):
        export(mlp, "torch")


def test_a_run_whose_values_changed_is_refused(mlp):
    path = mlp / "snapshot.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(EvidenceError, match="a file is not as its manifest says"):
        export(mlp, "torch")


def test_a_bad_target_is_refused(mlp, tmp_path):
    with pytest.raises(ConfigError, match="--to: must end in .safetensors, got 'a.bin'"):
        export(mlp, "torch", Path("a.bin"))
    with pytest.raises(EvidenceError, match="an export cannot be in the folder of its run"):
        export(mlp, "torch", mlp / "a.safetensors")
    with pytest.raises(StorageError, match="there is no such folder"):
        export(mlp, "torch", tmp_path / "none" / "a.safetensors")


def test_a_joined_run_and_one_kept_as_npz_are_exported_too(only_run, command):
    words = ["init=normal", *QUIET]
    whole = stored(export(only_run(*words), "torch").path)
    parts = [str(only_run(*words, "init_mode=streamed", f"shard={i}/2")) for i in (1, 2)]
    joined = Path(command("join", *parts).out.split()[-1])
    npz = only_run(*words, "snapshot=npz")
    for folder in (joined, npz):
        found = stored(export(folder, "torch").path)
        assert {name: v.tobytes() for name, v in found.items()} == {
            name: v.tobytes() for name, v in whole.items()
        }


def test_values_stream_through_a_few_megabytes(only_run):
    words = ["model.layers=[{kind: dense, units: 2048, use_bias: false}]", "model.input=[4096]"]
    folder = only_run("init=normal", "init_mode=streamed", *words, *QUIET)
    tracemalloc.start()
    done = export(folder, "torch")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert done.bytes == 2048 * 4096 * 4
    assert peak < done.bytes / 2
