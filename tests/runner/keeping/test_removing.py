"""What removal looks at; what `initlab rm` does is in tests/runner/commands/test_rm.py."""

from __future__ import annotations

import sys

import pytest

from initlab.runner.errors import ConfigError
from initlab.runner.keeping.removing import confirmed, is_linked, remove_empty, size_of


def test_the_size_of_a_folder_is_that_of_its_files_without_what_links_lead_to(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "x").write_bytes(b"0" * 100)
    (tmp_path / "a" / "y").write_bytes(b"0" * 10)
    (tmp_path / "far").write_bytes(b"0" * 10**6)
    (tmp_path / "a" / "link").symlink_to(tmp_path / "far")
    assert 110 <= size_of(tmp_path / "a") < 1000
    assert size_of(tmp_path / "nowhere") == 0


def test_a_folder_behind_a_link_or_outside_is_known(tmp_path):
    (tmp_path / "root" / "in").mkdir(parents=True)
    (tmp_path / "out" / "run").mkdir(parents=True)
    (tmp_path / "root" / "link").symlink_to(tmp_path / "out")
    (tmp_path / "also").symlink_to(tmp_path / "root")
    root = tmp_path / "root"
    assert not is_linked(root, root / "in") and not is_linked(
        tmp_path / "also", tmp_path / "also" / "in"
    )
    assert is_linked(root, root / "link") and is_linked(root, root / "link" / "run")
    assert is_linked(root, tmp_path / "root" / "link" / ".." / "out" / "run")


def test_only_empty_folders_are_removed_and_never_the_root(tmp_path):
    (tmp_path / "root" / "a" / "b").mkdir(parents=True)
    (tmp_path / "root" / "c").mkdir()
    (tmp_path / "root" / "c" / "x").write_text("")
    root = tmp_path / "root"
    remove_empty(root, [root / "a" / "b", root / "c", tmp_path])
    assert [path.name for path in root.iterdir()] == ["c"]
    (root / "c" / "x").unlink()
    remove_empty(root, [root / "c"])
    assert root.is_dir() and not list(root.iterdir())


def test_the_end_of_the_input_is_a_no(monkeypatch, capsys):
    def end(said):
        raise EOFError

    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", end)
    assert confirmed("remove it", yes=False) is False
    assert capsys.readouterr().out == "nothing was removed\n"
    assert confirmed("remove it", yes=True) is True


def test_where_nobody_can_be_asked_it_is_refused():
    with pytest.raises(ConfigError, match="--yes: is needed where nobody can be asked"):
        confirmed("remove it", yes=False)
