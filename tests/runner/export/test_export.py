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


def test_a_bad_target_is_refused(mlp, tmp_path):
    with pytest.raises(ConfigError, match="--to: must end in .safetensors, got 'a.bin'"):
        export(mlp, "torch", Path("a.bin"))
    with pytest.raises(EvidenceError, match="an export cannot be in the folder of its run"):
        export(mlp, "torch", mlp / "a.safetensors")
    with pytest.raises(StorageError, match="there is no such folder"):
        export(mlp, "torch", tmp_path / "none" / "a.safetensors")


def test_values_stream_through_a_few_megabytes(only_run):
    words = ["model.layers=[{kind: dense, units: 2048, use_bias: false}]", "model.input=[4096]"]
    folder = only_run("init=normal", "init_mode=streamed", *words, *QUIET)
    tracemalloc.start()
    done = export(folder, "torch")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert done.bytes == 2048 * 4096 * 4
    assert peak < done.bytes / 2
