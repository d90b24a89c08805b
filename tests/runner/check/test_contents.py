"""Every file of a run's folder is there, within it, and as it was written; nothing is put beside it."""

from __future__ import annotations

import os
import shutil

import numpy as np
import pytest
from altered import answer, change_manifest

from initlab.engine import formats


@pytest.mark.parametrize(
    ("alter", "said"),
    [
        (
            lambda m: m["written"].pop("stats.json"),
            "the manifest is damaged, it does not list stats.json",
        ),
        (
            lambda m: m["written"].pop(".hydra/config.yaml"),
            "the manifest is damaged, it does not list .hydra/config.yaml",
        ),
        (
            lambda m: m["written"].pop(".hydra/overrides.yaml"),
            "the manifest is damaged, it does not list .hydra/overrides.yaml",
        ),
        (
            lambda m: m["written"].update({"../x": {"bytes": 1, "sha256": "0" * 64}}),
            "its written is not as written",
        ),
        (lambda m: m["written"]["plan.json"].pop("sha256"), "its written is not as written"),
        (
            lambda m: m["written"].update({"x": {"bytes": 1, "sha256": "0" * 64}}),
            "/x: is missing - run its config again",
        ),
    ],
)
def test_a_list_of_files_that_no_run_wrote_is_refused(alter, said, probed, capsys):
    change_manifest(probed, alter)
    code, text = answer(probed, capsys)
    assert (code, said in text, len(text.splitlines())) == (2, True, 1), text
    assert text.startswith(f"error: {probed}")


FILES = [
    "plan.json",
    "stats.json",
    "stats.csv",
    "snapshot.safetensors",
    ".hydra/config.yaml",
    ".hydra/hydra.yaml",
    ".hydra/overrides.yaml",
]


@pytest.mark.parametrize("name", FILES)
def test_every_file_is_there_and_as_it_was_written(name, probed, capsys):
    path = probed / name
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b"3", b"4") if name != "snapshot.safetensors" else whole[:-1])
    assert path.read_bytes() != whole
    assert answer(probed, capsys)[0] in (1, 2)
    path.write_bytes(whole + b"\n")
    assert answer(probed, capsys)[0] in (1, 2)
    path.unlink()
    code, text = answer(probed, capsys)
    assert (code, f"error: {path}: " in text, "is missing" in text) == (2, True, True), text
    path.mkdir()
    assert answer(probed, capsys)[0] == 2
    path.rmdir()
    path.write_bytes(whole)
    assert answer(probed, capsys)[0] == 0


@pytest.mark.parametrize("name", [*FILES, "manifest.json"])
def test_a_link_out_of_the_folder_is_refused(name, probed, tmp_path, capsys):
    path = probed / name
    outside = tmp_path / "outside"
    shutil.move(path, outside)
    path.symlink_to(outside)
    code, text = answer(probed, capsys)
    assert (code, text) == (
        2,
        f"error: {path}: is a link out of the run's folder - run its config again\n",
    )


def test_a_folder_that_is_reached_by_a_link_is_verified(probed, tmp_path, capsys):
    (tmp_path / "latest").symlink_to(probed)
    assert answer(tmp_path / "latest", capsys)[0] == 0


def test_a_snapshot_beside_a_run_that_kept_none_is_refused(small, capsys):
    folder = small("snapshot=none")
    poison = formats.Snapshot({"0.weight": np.ones((4, 3), np.float32)})
    formats.get("safetensors").write(folder / "snapshot.safetensors", poison)
    code, text = answer(folder, capsys)
    assert (code, text) == (
        2,
        f"error: {folder}/snapshot.safetensors: is no file of this run, the manifest does not list "
        "it - remove it\n",
    )


def test_files_that_are_not_of_the_run_are_named(probed, capsys):
    for name in ("notes.txt", "report.html", "a", "b"):
        (probed / name).write_text("")
    code, text = answer(probed, capsys)
    assert (code, text.endswith("; not covered: a, b, notes.txt and 2 more\n")) == (0, True), text


def test_reports_and_claims_are_written_later_and_do_not_matter(small, capsys, monkeypatch):
    monkeypatch.setenv("INITLAB_REPORT", "all")
    folder = small("report=all")
    code, text = answer(folder, capsys)
    assert (code, "report.html" in text) == (0, os.path.exists(folder / "report.html")), text
