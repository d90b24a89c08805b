"""Parts of a run are joined into the whole."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from initlab.runner.cli import run_command

WORDS = ["init=normal", "model=shared", "init_mode=streamed", "probe=none"]


def manifest_of(folder: Path) -> dict:
    return json.loads((folder / "manifest.json").read_text())


@pytest.fixture
def parts(only_run) -> list[Path]:
    return [only_run(*WORDS, f"shard={i}/3") for i in (1, 2, 3)]


def test_a_joined_snapshot_is_loaded_like_any_other(parts, only_run, capsys):
    run_command(["join", *(str(part) for part in parts)])
    index = Path(capsys.readouterr().out.split()[-1]) / "model.safetensors.index.json"
    loaded = only_run("model=shared", "init=load", f"init.param={index}")
    assert (
        manifest_of(loaded)["digests"]["tensors"]
        == manifest_of(only_run(*WORDS))["digests"]["tensors"]
    )


def test_a_joined_run_is_finished_for_resume_until_a_part_of_it_changes(parts, command, capsys):
    run_command(["join", *(str(part) for part in parts)])
    joined = Path(capsys.readouterr().out.split()[-1])
    assert command(*WORDS, "resume=true").out.startswith(f"finished before: {joined}")
    path = joined / "model-00002-of-00003.safetensors"
    data = np.fromfile(path, np.uint8)
    data[-1] ^= 1
    path.unlink()
    data.tofile(path)
    assert "finished before" not in command(*WORDS, "resume=true").out
    assert run_command(["verify", str(joined)]) == 0


def refused(capsys, *folders: Path) -> str:
    capsys.readouterr()
    assert run_command(["join", *(str(folder) for folder in folders)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    return line


def test_what_is_not_a_complete_set_of_parts_is_refused(parts, only_run, capsys):
    one, two, three = parts
    before = sorted(Path("outputs/runs").iterdir())
    assert "2 of 3 parts are there, missing: 2 - run them with shard=i/n" in refused(
        capsys, one, three
    )
    assert "is part 1/3, and so is" in refused(capsys, one, one, two)
    other = only_run(*WORDS, "shard=1/2")
    assert "they are cut into different numbers of parts" in refused(capsys, two, three, other)
    assert "their configs differ" in refused(
        capsys, two, three, only_run(*WORDS, "seed=1", "shard=1/3")
    )
    assert "is no part of a sharded run, its shard is None" in refused(
        capsys, one, only_run(*WORDS)
    )
    assert "part 2/3 kept no snapshot" in refused(
        capsys, one, only_run(*WORDS, "snapshot=none", "shard=2/3")
    )
    assert "is no run (it has no manifest.json)" in refused(capsys, one, one.parent)
    assert "no such folder" in refused(capsys, one.parent / "nowhere")
    assert not (set(before) - set(Path("outputs/runs").iterdir()))


def test_a_part_whose_file_changed_is_not_joined(parts, capsys):
    path = parts[1] / "model-00002-of-00003.safetensors"
    data = np.fromfile(path, np.uint8)
    data[-1] ^= 1
    data.tofile(path)
    assert "is missing, or not what its manifest says - run part 2/3 again" in refused(
        capsys, *parts
    )
    assert not [
        p
        for p in Path("outputs/runs").iterdir()
        if p.name not in {part.name for part in parts} and (p / "manifest.json").exists()
    ]


def test_a_joined_folder_that_lost_a_file_says_which(parts, capsys):
    run_command(["join", *(str(part) for part in parts)])
    joined = Path(capsys.readouterr().out.split()[-1])
    (joined / "model-00002-of-00003.safetensors").unlink()
    assert run_command(["verify", str(joined)]) == 2
    assert (
        "names 3 files, 2 are there: model-00002-of-00003.safetensors is missing - copy all parts here"
        in capsys.readouterr().err
    )
