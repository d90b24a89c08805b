"""A lock to check, in a folder of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from initlab.runner.cli import run_command

SMALL = [
    "init=normal",
    "model.input=[3]",
    "model.layers=[{kind: dense, units: 4}, {kind: dense, units: 2}]",
]


@pytest.fixture
def small(only_run):
    """`small(word, …)` runs a small network and returns the folder."""
    return lambda *words: only_run(*SMALL, *words)


@pytest.fixture
def probed(small) -> Path:
    """The folder of a small network that was probed."""
    return small("seed=3", "probe=backward")


@pytest.fixture
def here(command, tmp_path) -> Path:
    """A folder of the test's own, where commands run."""
    return tmp_path


@pytest.fixture
def said(here, capsys):
    """`said(word, …)` runs a command line in this process and gives (exit code, stdout, stderr)."""

    def call(*words: object) -> tuple[int, str, str]:
        capsys.readouterr()
        code = run_command([str(word) for word in words])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


@pytest.fixture
def locked(said, here):
    """`locked(word, …)` writes initlab.lock, which must succeed, and gives its path."""

    def call(*words: str) -> Path:
        code, _, err = said("lock", *words)
        assert code == 0, err
        return here / "initlab.lock"

    return call
