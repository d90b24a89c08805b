"""The state of a git repository: its commit, and whether tracked files differ from it."""

from __future__ import annotations

import subprocess

import pytest

from initlab.runner.evidence.git import state_of


@pytest.fixture
def repository(tmp_path):
    """A repository with one commit; `repository(word, …)` calls git there."""

    def git(*words):
        said = subprocess.run(
            ["git", "-c", "user.name=a", "-c", "user.email=a@b", *words],
            cwd=tmp_path,
            check=True,
            capture_output=True,
            text=True,
        )
        return said.stdout.strip()

    git("init", "-q")
    (tmp_path / "tracked").write_text("one\n")
    git("add", "-A")
    git("commit", "-qm", "one")
    return git


def test_a_clean_repository_gives_its_commit(repository, tmp_path):
    found = state_of(tmp_path)
    assert found is not None
    assert (found.commit, found.dirty, found.diff_sha256) == (
        repository("rev-parse", "HEAD"),
        False,
        None,
    )


def test_a_changed_file_is_dirty_and_its_change_has_a_digest(repository, tmp_path):
    found = []
    for text in ("two\n", "three\n", "two\n"):
        (tmp_path / "tracked").write_text(text)
        found.append(state_of(tmp_path))
    assert [one.dirty for one in found] == [True] * 3
    assert found[0] == found[2] != found[1]


def test_a_change_counts_from_a_folder_inside_and_when_it_is_staged(repository, tmp_path):
    (tmp_path / "inside").mkdir()
    (tmp_path / "tracked").write_text("two\n")
    before = state_of(tmp_path)
    repository("add", "-A")
    assert before == state_of(tmp_path) == state_of(tmp_path / "inside")


@pytest.mark.parametrize("name", ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR"])
def test_the_repository_is_that_of_the_folder_also_in_a_hook_of_another(
    name, repository, tmp_path, monkeypatch
):
    other = tmp_path / "other"
    other.mkdir()
    before = state_of(tmp_path)
    monkeypatch.setenv(name, str(other))
    assert state_of(tmp_path) == before is not None


def test_the_settings_of_a_users_git_change_no_digest(repository, tmp_path):
    (tmp_path / "tracked").write_text("two\n")
    before = state_of(tmp_path)
    for key, value in (
        ("color.ui", "always"),
        ("diff.noprefix", "true"),
        ("diff.mnemonicPrefix", "true"),
        ("diff.external", "false"),
        ("diff.context", "9"),
        ("diff.algorithm", "patience"),
        ("core.pager", "cat"),
    ):
        repository("config", key, value)
    assert state_of(tmp_path) == before


def test_files_that_git_does_not_track_make_nothing_dirty(repository, tmp_path):
    (tmp_path / "outputs").write_text("much\n")
    assert state_of(tmp_path).dirty is False


def test_no_repository_no_commit_and_no_git_give_none(tmp_path, monkeypatch):
    assert state_of(tmp_path) is None
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    assert state_of(tmp_path) is None
    monkeypatch.setenv("PATH", "")
    assert state_of(tmp_path) is None


def test_a_git_that_takes_too_long_is_not_waited_for(repository, tmp_path):
    assert state_of(tmp_path, 0.0) is None
