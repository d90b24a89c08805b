"""Which folders are those of runs, and which are found below a folder."""

from __future__ import annotations

import os

import pytest

from initlab.runner.errors import EvidenceError
from initlab.runner.evidence.found import below, place_of, root_of


def make(folder, *names):
    folder.mkdir(parents=True)
    for name in names:
        (folder / name).mkdir() if name == ".hydra" else (folder / name).write_text("{}")
    return folder


def found(root):
    return [place.path for place in below(root, pytest.fail)]


def test_runs_of_every_depth_are_found_in_the_order_of_their_paths(tmp_path):
    make(tmp_path / "b" / "1", "manifest.json")
    make(tmp_path / "a" / "deep er" / "ü", "manifest.json")
    make(tmp_path / "a-0", "status.json")
    make(tmp_path / "begun", "plan.json", "runner.log")
    make(tmp_path / "a" / "2", ".hydra", "runner.log")
    assert found(tmp_path) == ["a/2", "a/deep er/ü", "a-0", "b/1", "begun"]
    assert found(tmp_path / "b" / "1") == ["."]


def test_what_is_no_run_is_not_found(tmp_path):
    make(tmp_path / "sweep", ".hydra", "sweep.json", "summary.csv")
    make(tmp_path / "other", "runner.log")
    make(tmp_path / ".cache" / "x", "manifest.json")
    make(tmp_path / "run", "manifest.json")
    make(tmp_path / "run" / ".cache" / "x", "manifest.json")
    make(tmp_path / "run" / "inside", "manifest.json")
    (tmp_path / "file").write_text("")
    make(tmp_path / "list", "status.json", "sweep.json")
    (tmp_path / "run" / "link").symlink_to(tmp_path / "run" / "inside")
    assert found(tmp_path) == ["run", "run/inside"]


def test_links_outside_are_followed_once_and_links_inside_are_not(tmp_path):
    disk = make(tmp_path / "disk" / "1", "manifest.json").parent
    root = tmp_path / "outputs"
    make(root / "own" / "2", "manifest.json")
    (root / "far").symlink_to(disk)
    (root / "again").symlink_to(root / "own")
    (root / "z-far").symlink_to(disk / "1")
    (root / "up").symlink_to(tmp_path)
    (disk / "back").symlink_to(root)
    (root / "lost").symlink_to(tmp_path / "nowhere")
    places = list(below(root, pytest.fail))
    assert [(place.path, place.linked) for place in places] == [("own/2", False), ("far/1", True)]


def test_a_root_that_is_a_link_is_searched(tmp_path):
    make(tmp_path / "disk" / "1", "manifest.json")
    (tmp_path / "outputs").symlink_to(tmp_path / "disk")
    [place] = below(tmp_path / "outputs", pytest.fail)
    assert (place.path, place.linked) == ("1", False)


def test_a_folder_that_cannot_be_listed_is_told(tmp_path, monkeypatch):
    make(tmp_path / "shut" / "1", "manifest.json")
    make(tmp_path / "open", "manifest.json")
    listed = os.scandir

    def refusing(place):
        if str(place).endswith("shut"):
            raise PermissionError(13, "Permission denied", str(place))
        return listed(place)

    monkeypatch.setattr(os, "scandir", refusing)
    told = []
    assert [place.path for place in below(tmp_path, told.append)] == ["open"]
    assert [str(error.filename).rpartition("/")[2] for error in told] == ["shut"]


def test_a_change_of_a_file_changes_its_stamp(tmp_path):
    run = make(tmp_path / "1", "manifest.json", "status.json")
    before = place_of(run).stamps
    assert place_of(run).stamps == before
    (run / "status.json").write_text("[]")
    os.utime(run / "status.json", ns=(0, 0))
    after = place_of(run).stamps
    assert after[0] == before[0] and after != before
    assert place_of(tmp_path) is None and place_of(tmp_path / "nowhere") is None


def test_the_root_is_the_one_given_or_of_the_environment_or_outputs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("INITLAB_OUTPUTS", raising=False)
    with pytest.raises(EvidenceError, match="^outputs: no such folder - give one that holds runs"):
        root_of()
    for name in ("outputs", "a", "b"):
        (tmp_path / name).mkdir()
    assert root_of().name == "outputs"
    monkeypatch.setenv("INITLAB_OUTPUTS", str(tmp_path / "a"))
    assert (root_of().name, root_of("b").name) == ("a", "b")
    monkeypatch.setenv("INITLAB_OUTPUTS", "gone")
    with pytest.raises(EvidenceError, match="^INITLAB_OUTPUTS=gone: no such folder"):
        root_of()
    with pytest.raises(EvidenceError, match="^'': no such folder"):
        root_of("")
