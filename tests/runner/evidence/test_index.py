"""The index gives what the folders give, whatever happens to them and to it."""

from __future__ import annotations

import json
import os
import shutil
import threading
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import initlab
from initlab.runner.evidence import index
from initlab.runner.evidence.index import index_file, records
from initlab.runner.evidence.status import FAILED, RUNNING, Status, write


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A finished run, to be copied."""
    return initlab.declare("probe=forward").run(tmp_path_factory.mktemp("made") / "0").path


@pytest.fixture
def root(made, tmp_path, monkeypatch):
    """Three runs, with an index that keeps what it saw at once."""
    monkeypatch.setattr(index, "SETTLED", 0)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for number in range(3):
        shutil.copytree(made, tmp_path / "outputs" / "a" / str(number))
    return tmp_path / "outputs"


def listed(root, indexed=True):
    return [record for _, record in records(root, pytest.fail, indexed)]


def reads(monkeypatch):
    """Return the list to which every run is added whose files are read."""
    read: list[str] = []
    record_of = index.record_of
    monkeypatch.setattr(index, "record_of", lambda at: read.append(at.path) or record_of(at))
    return read


def test_the_files_of_a_run_are_read_once_until_one_changes(root, monkeypatch):
    read = reads(monkeypatch)
    first = listed(root)
    assert read == ["a/0", "a/1", "a/2"]
    assert listed(root) == first == listed(root, indexed=False)
    assert len(read) == 6  # the last three without the index
    write(root / "a" / "1", Status(FAILED, "x", [], "no"))
    assert [record.facts["state"] for record in listed(root)] == ["finished", "failed", "finished"]
    assert read[6:] == ["a/1"]


def test_what_changed_a_moment_ago_is_not_kept(root, monkeypatch):
    monkeypatch.setattr(index, "SETTLED", 10**12)
    read = reads(monkeypatch)
    listed(root)
    listed(root)
    assert len(read) == 6


def test_a_list_writes_nothing_into_the_folder_that_it_lists(root):
    before = sorted(root.rglob("*"))
    listed(root)
    assert sorted(root.rglob("*")) == before
    assert index_file(root).exists() and root not in index_file(root).parents


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: b"",
        lambda text: text[: len(text) // 2],
        lambda text: text.replace(b"finished", b"finishes"),
        lambda text: b"\xff" * 100,
        lambda text: text.replace(index.FORMAT.encode(), b"initlab-index-9"),
        lambda text: b"00000000 [1]\n" + text,
        lambda text: b"[" * 100_000,
    ],
)
def test_an_index_that_is_damaged_or_of_another_version_is_made_again(damage, root):
    first = listed(root)
    file = index_file(root)
    whole = file.read_bytes()
    file.write_bytes(damage(whole))
    assert listed(root) == first
    (root / "a" / "0" / "new").mkdir()
    assert listed(root) == first
    assert file.read_bytes() == whole


def test_the_index_of_other_code_is_not_used(root, monkeypatch):
    listed(root)
    monkeypatch.setattr(index, "_code", lambda: "0" * 64)
    read = reads(monkeypatch)
    listed(root)
    assert len(read) == 3


def test_without_a_cache_everything_is_read(root, monkeypatch):
    first = listed(root)
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert index_file(root) is None and listed(root) == first
    monkeypatch.setenv("XDG_CACHE_HOME", "/proc/nothing")
    assert listed(root) == first
    monkeypatch.setenv("XDG_CACHE_HOME", str(root.parent / "file"))
    (root.parent / "file").write_text("")
    assert listed(root) == first


def test_a_folder_has_one_index_however_it_is_named(root, monkeypatch):
    monkeypatch.chdir(root.parent)
    (root.parent / "link").symlink_to(root)
    assert index_file(Path("outputs")) == index_file(root) == index_file(root.parent / "link")


def test_lists_at_the_same_time_do_no_harm(root):
    expected = listed(root, indexed=False)
    found = []

    def often():
        for _ in range(10):
            found.append(listed(root))
            index_file(root).unlink(missing_ok=True)

    threads = [threading.Thread(target=often) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 40 and all(one == expected for one in found)
    assert [path.name for path in index_file(root).parent.iterdir()] in (
        [],
        [index_file(root).name],
    )


NAMES = ("a/0", "a/1", "b c/ü")
ACTIONS = st.sampled_from(
    ["add", "remove", "fail", "begin", "damage", "mend", "stats", "move", "list", "drop", "cut"]
)


def act(root: Path, made: Path, action: str, name: str) -> None:
    """Do to a run what may happen to one."""
    folder = root / name
    if action == "add" and not folder.exists():
        shutil.copytree(made, folder)
    elif action == "remove":
        shutil.rmtree(folder, ignore_errors=True)
    elif action == "fail" and folder.exists():
        write(folder, Status(FAILED, "x", [], "no"))
    elif action == "begin":
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "manifest.json").unlink(missing_ok=True)
        write(folder, Status(RUNNING, "x", pid=2**22 - 1))
    elif action == "damage" and (folder / "manifest.json").exists():
        size = (folder / "manifest.json").stat().st_size
        (folder / "manifest.json").write_text(" " * size)
    elif action == "mend" and folder.exists():
        shutil.copy(made / "manifest.json", folder / "manifest.json")
    elif action == "stats" and (folder / "stats.json").exists():
        content = json.loads((made / "stats.json").read_text())
        content["figures"]["output_rms"] += time.time_ns() % 7
        (folder / "stats.json").write_text(json.dumps(content))
    elif action == "move" and folder.exists() and not (root / "moved").exists():
        os.rename(folder, root / "moved")
    elif action == "drop":
        index_file(root).unlink(missing_ok=True)
    elif action == "cut" and index_file(root).exists():
        os.truncate(index_file(root), index_file(root).stat().st_size // 2)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.tuples(ACTIONS, st.sampled_from(NAMES)), max_size=8))
def test_after_any_changes_the_index_gives_what_the_folders_give(made, tmp_path, steps):
    """As long as a change has another time than the one before, which `SETTLED` sees to."""
    root = tmp_path / f"{time.time_ns()}"
    root.mkdir()
    for action, name in steps:
        time.sleep(0.011)  # a tick of the clock of files
        act(root, made, action, name)
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(index, "SETTLED", 10_000_000)
            assert listed(root) == listed(root, indexed=False)
    shutil.rmtree(root)
