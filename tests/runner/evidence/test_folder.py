"""A run's folder, read and written through one class."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from initlab.runner.errors import EvidenceError
from initlab.runner.evidence.folder import RunFolder

WORDS = ("model=mlp", "init=normal", "probe=forward")


@pytest.mark.parametrize("kind", ["safetensors", "npz"])
def test_a_finished_run_is_read_back(kind, only_run):
    run = RunFolder(only_run(*WORDS, f"snapshot={kind}"))
    assert run.finished and run.manifest.run_id == run.path.name
    assert run.config["init"]["kind"] == "normal" and run.config is run.manifest.config
    assert list(run.plan) == [row["path"] for row in run.stats.parameters]
    assert run.plan["0.weight"]["shape"] == list(run.snapshot["0.weight"].shape)
    assert set(run.snapshot) == set(run.manifest.digests.tensors)
    assert all(
        run.snapshot.digest(path) == value for path, value in run.manifest.digests.tensors.items()
    )
    assert "output_rms" in run.stats.figures and run.is_whole()


def test_an_alias_has_its_owners_values(only_run):
    run = RunFolder(only_run("init=xavier", "model=shared"))
    alias, owner = next(iter(run.manifest.aliases.items()))
    assert {*run.snapshot} == {*run.plan} and alias not in run.snapshot.tensors
    assert np.array_equal(run.snapshot[alias], run.snapshot[owner])
    assert run.snapshot.digest(alias) == run.manifest.digests.tensors[owner]


def test_a_change_to_the_values_reaches_no_file(only_run):
    folder = only_run(*WORDS)
    before = (folder / "snapshot.safetensors").read_bytes()
    RunFolder(folder).snapshot["0.weight"][...] = 0
    assert (folder / "snapshot.safetensors").read_bytes() == before


def test_a_run_without_a_snapshot_has_none(only_run):
    run = RunFolder(only_run(*WORDS, "snapshot=none"))
    assert run.snapshot is None and run.snapshot_path is None and run.is_whole()


def test_an_unfinished_run_is_said_to_be_none(only_run, tmp_path):
    folder = only_run(*WORDS)
    (folder / "manifest.json").unlink()
    run = RunFolder(folder)
    assert not run.finished and run.finished_as({}) is None
    with pytest.raises(EvidenceError, match="no manifest, so the run did not finish"):
        _ = run.manifest
    with pytest.raises(EvidenceError, match="no such folder - give the folder of a finished run"):
        _ = RunFolder(tmp_path / "nowhere").manifest


def test_what_is_no_run_is_said_to_be_what_it_is(only_run, tmp_path):
    folder = only_run(*WORDS)
    with pytest.raises(EvidenceError, match=r"manifest.json: is a file - give the folder of a fin"):
        _ = RunFolder(folder / "manifest.json").manifest
    with pytest.raises(
        EvidenceError, match=r": is no run \(it has no manifest.json\) - give the fo"
    ):
        _ = RunFolder(folder.parent).manifest
    (folder.parent / "sweep.json").write_text("{}")
    with pytest.raises(EvidenceError, match=": is a sweep "):
        _ = RunFolder(folder.parent).manifest


@pytest.mark.parametrize("file", ["stats.json", "plan.json"])
@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "is missing"),
        ("{", "is damaged"),
        ("[]", "is "),
        ("{}", "is not as written, it lacks"),
    ],
)
def test_a_file_that_is_missing_or_damaged_is_named(file, text, said, only_run):
    folder = only_run(*WORDS)
    (folder / file).unlink()
    if text is not None:
        (folder / file).write_text(text)
    run = RunFolder(folder)
    with pytest.raises(EvidenceError, match=f"{file}: {said}.* - run its config again"):
        _ = run.stats if file == "stats.json" else run.plan


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("../snapshot.safetensors", "its snapshot '../snapshot.safetensors' is no file name"),
        ("other.safetensors", "other.safetensors: the snapshot is missing"),
    ],
)
def test_a_snapshot_that_is_not_there_is_named(name, said, only_run):
    folder = only_run(*WORDS)
    content = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(content | {"snapshot": name}))
    with pytest.raises(EvidenceError, match=said):
        _ = RunFolder(folder).snapshot


def test_what_was_read_is_kept_until_a_run_begins(only_run):
    folder = only_run(*WORDS)
    run = RunFolder(folder)
    assert run.manifest is run.manifest and run.stats is run.stats
    run.begin()
    assert not run.finished
    with pytest.raises(EvidenceError, match="did not finish"):
        _ = run.manifest


def test_the_digest_of_evidence_changes_with_what_was_measured_only(only_run, tmp_path):
    folder = only_run(*WORDS)
    before = RunFolder(folder).evidence_digest()
    moved = tmp_path / "moved"
    shutil.copytree(folder, moved)
    (moved / "runner.log").write_text("other")
    assert RunFolder(moved).evidence_digest() == before
    stats = json.loads((moved / "stats.json").read_text())
    stats["figures"]["output_rms"] = 3.0
    (moved / "stats.json").write_text(json.dumps(stats))
    assert RunFolder(moved).evidence_digest() != before


def test_a_run_that_finished_here_is_told_from_another_and_from_a_damaged_one(only_run):
    folder = only_run(*WORDS)
    canonical = RunFolder(folder).manifest.canonical
    assert RunFolder(folder).finished_as(canonical) == RunFolder(folder).manifest
    with pytest.raises(EvidenceError, match="holds a finished run of another config"):
        RunFolder(folder).finished_as({**canonical, "seed": 7})
    (folder / "snapshot.safetensors").write_bytes(b"cut")
    assert RunFolder(folder).finished_as(canonical) is None


def test_what_a_manifest_vouches_for_is_on_the_disk_before_it_is(only_run, monkeypatch):
    done: list[tuple[str, int]] = []
    sync, replace = os.fsync, os.replace

    def synced(descriptor):
        done.append(("sync", os.fstat(descriptor).st_ino))
        sync(descriptor)

    def named(source, target):
        done.append((Path(target).name, os.stat(source).st_ino))
        replace(source, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "replace", named)
    folder = only_run(*WORDS)
    names = [name for name, _ in done]
    before = done[: names.index("manifest.json")]
    last_name = max(number for number, (name, _) in enumerate(before) if name != "sync")
    for name in ("plan.json", "stats.json", "stats.csv", "snapshot.safetensors"):
        assert ("sync", (folder / name).stat().st_ino) in before, name
    assert ("sync", folder.stat().st_ino) in before[last_name:]
    assert ("sync", (folder / "manifest.json").stat().st_ino) in before
    assert done[-1] == ("sync", folder.stat().st_ino) or "status.json" in names
