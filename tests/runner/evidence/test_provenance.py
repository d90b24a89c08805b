"""The provenance of a run: what a manifest says of who made it, where and when; no part of what it
computes.
"""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace

import pytest

from initlab import declare
from initlab.runner.check.verify import verify
from initlab.runner.errors import EvidenceError
from initlab.runner.evidence.folder import RunFolder
from initlab.runner.evidence.manifest import Manifest
from initlab.runner.evidence.provenance import Provenance, is_provenance
from initlab.runner.flat import changes, flatten

MACHINE = {"seconds", "peak_memory_bytes"}
WHOLE = {
    "command": ["initlab", "init=he"],
    "folder": "/here",
    "git": {"commit": "0f" * 20, "dirty": True, "diff_sha256": "0f" * 32},
    "config_dir": {"path": "/here/conf", "sha256": "0f" * 32},
    "plugins": ["/here/mine.py"],
    "begun": "2026-11-27T13:21:53.250Z",
    "ended": "2026-11-27T13:21:54.000Z",
    "host": "here",
    "platform": "Linux",
}


def manifest(folder):
    return json.loads((folder / "manifest.json").read_text())


@pytest.fixture
def made(tmp_path, monkeypatch):
    """`made(word, …)` makes a run from Python and returns its folder."""
    monkeypatch.chdir(tmp_path)

    def make(*words, folder=None):
        return declare("init=normal", *words).run(folder).path

    return make


def differing(first, second):
    """The places in which two manifests differ."""
    found = changes(flatten(manifest(first)), flatten(manifest(second)))
    return {one.key for one in found}


def test_two_runs_of_one_id_differ_in_time_and_memory_only(made):
    different = differing(made(folder="first"), made(folder="second"))
    assert different <= MACHINE | {"provenance.begun", "provenance.ended"}


def test_tags_note_and_timeout_are_no_part_of_the_id_and_of_the_values(made):
    words = ("tags=[wide,'two words']", "note='what I thought'", "timeout=1000")
    plain, told = made(folder="plain"), made(*words, folder="told")
    different = differing(plain, told) - MACHINE
    ours = ("config.tags", "config.note", "config.timeout", "overrides", "provenance.")
    assert all(place.startswith((*ours, "written..hydra/")) for place in different)
    content = RunFolder(told).manifest
    assert content.run_id == RunFolder(plain).manifest.run_id
    assert content.config["tags"] == ["wide", "two words"]
    assert content.config["note"] == "what I thought"
    assert [verify(one).code for one in (plain, told)] == [0, 0]


def test_a_run_from_python_names_no_command_and_the_time_it_took(made):
    found = RunFolder(made()).manifest.provenance
    assert found is not None
    assert (found.command, found.plugins, found.config_dir) == (None, [], None)
    assert found.begun <= found.ended
    assert is_provenance(found.to_json())


def test_a_run_from_the_command_line_names_its_words_and_the_commit(tmp_path, python_command):
    for words in ("init -q", "add -A", "-c user.name=a -c user.email=a@b commit -qm one"):
        (tmp_path / "mine").write_text("one\n")
        subprocess.run(["git", *words.split()], cwd=tmp_path, check=True)
    python_command("init=normal", "note=a b")
    found = manifest(next(tmp_path.glob("outputs/runs/normal*")))["provenance"]
    assert found["command"] == ["initlab", "init=normal", "note=a b"]
    assert (found["folder"], found["git"]["dirty"]) == (str(tmp_path), False)


@pytest.fixture
def python_command(tmp_path):
    """The command line in a process of its own."""
    import os
    import sys
    from pathlib import Path

    root = Path(__file__).parents[3]

    def call(*words):
        environment = {**os.environ, "PYTHONPATH": str(root)}
        return subprocess.run(
            [sys.executable, "-m", "runner", *words],
            cwd=tmp_path,
            env=environment,
            check=True,
            capture_output=True,
        )

    return call


def test_a_manifest_without_it_is_read_and_verified(made):
    folder = made()
    content = manifest(folder)
    del content["provenance"]
    (folder / "manifest.json").write_text(json.dumps(content))
    assert RunFolder(folder).manifest.provenance is None
    assert verify(folder).code == 0


def test_it_is_the_same_after_writing_and_reading():
    assert is_provenance(WHOLE)
    assert Provenance.from_json(WHOLE).to_json() == WHOLE
    without = {**WHOLE, "git": None, "config_dir": None, "command": None}
    assert is_provenance(without)
    assert Provenance.from_json(without).to_json() == without


@pytest.mark.parametrize(
    "change",
    [
        {"begun": "yesterday"},
        {"begun": "2026-13-27T13:21:53.250Z"},
        {"git": {"commit": "0f" * 20}},
        {"git": {"commit": "zz" * 20, "dirty": False, "diff_sha256": None}},
        {"git": {"commit": "0f" * 20, "dirty": True, "diff_sha256": None}},
        {"git": {"commit": "0f" * 20, "dirty": False, "diff_sha256": "0f" * 32}},
        {"plugins": [1]},
        {"command": "initlab"},
        {"host": None},
        {"more": 1},
        {"config_dir": {"path": "/here"}},
    ],
)
def test_a_damaged_one_is_refused_where_it_is_read(change, made):
    folder = made()
    content = manifest(folder)
    content["provenance"] |= change
    (folder / "manifest.json").write_text(json.dumps(content))
    with pytest.raises(EvidenceError, match="damaged, its provenance is not as written"):
        _ = RunFolder(folder).manifest


def test_plugins_that_its_manifest_does_not_list_are_found_by_verify(made):
    folder = made()
    content = RunFolder(folder).manifest
    other = replace(content.provenance, plugins=["/elsewhere/mine.py"])
    whole = Manifest.to_json(replace(content, provenance=other))
    (folder / "manifest.json").write_text(json.dumps(whole))
    assert "provenance names other plugins" in verify(folder).text
