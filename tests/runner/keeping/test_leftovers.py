"""What counts as left over; what `initlab gc` does is in tests/runner/commands/test_gc.py."""

from __future__ import annotations

import os
import time

import pytest

from initlab.runner.evidence.runs import runs
from initlab.runner.evidence.status import FAILED, Status, write
from initlab.runner.keeping.leftovers import leftovers, said


@pytest.fixture
def root(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write(tmp_path / name, Status(FAILED, name, [], "no"))
    (tmp_path / "b" / "manifest.json").write_text("{")
    return tmp_path


def old(path, seconds=3600):
    path.write_bytes(b"0" * 10)
    os.utime(path, (time.time() - seconds, time.time() - seconds))
    return path


def test_a_damaged_run_is_kept_and_a_failed_one_without_manifest_is_not(root):
    found = leftovers(root, runs(root))
    assert [run.path.name for run in found.runs] == ["a"] and found.files == []
    assert said(found).startswith("1 run without manifest (1 failed); nothing of these")


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("stats.json.12-ab.tmp", True),
        ("snapshot.journal", True),
        ("snapshot.journal.new", True),
        ("snapshot.safetensors.partial", True),
        ("model-00001-of-00004.safetensors.partial", True),
        ("snapshot.safetensors", False),
        ("notes.txt", False),
        ("notes.tmp", False),
        ("download.partial", False),
    ],
)
def test_files_that_only_a_process_at_work_needs_are_left_over_once_they_are_old(
    name, counts, root
):
    path = old(root / "b" / name)
    assert (path in leftovers(root, runs(root)).files) is counts
    old(path, seconds=1)
    assert path not in leftovers(root, runs(root)).files


def test_a_temporary_file_that_is_a_link_or_a_folder_is_kept(root):
    (root / "b" / "x.tmp").symlink_to(root / "a")
    (root / "b" / "y.tmp").mkdir()
    assert leftovers(root, runs(root)).files == []
