"""Fixtures for many tests: a command line in a folder of its own."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from initlab.engine import streams
from initlab.runner.cli import run_command
from initlab.runner.config import plugins

os.environ["INITLAB_REPORT"] = "none"
"""Reports are drawn by the tests that are about them only."""


@dataclass
class Done:
    """The exit code and output of a command."""

    code: int
    out: str
    err: str


@pytest.fixture(autouse=True)
def logging_is_as_before():
    """Restore logging after the test. Handlers that a test adds, as Hydra does, write to what
    pytest captures for that test only.
    """
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture(autouse=True, scope="session")
def the_cache_of_the_tests_is_their_own(tmp_path_factory):
    """Keep what is remembered between commands out of the user's cache."""
    os.environ["XDG_CACHE_HOME"] = str(tmp_path_factory.mktemp("cache"))


@pytest.fixture(autouse=True)
def no_plugin_outlives_its_test():
    """Unload plugins after the test, so that neither later tests nor the processes they start know
    them.
    """
    yield
    os.environ.pop(plugins.ENVIRONMENT, None)
    plugins._LOADED.clear()


@pytest.fixture
def command(tmp_path, monkeypatch, capsys) -> Callable[..., Done]:
    """`command(word, …)` runs the runner's command line in this process, in the test's own folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(plugins.ENVIRONMENT, raising=False)
    monkeypatch.setattr(plugins, "_LOADED", {})

    def call(*words: str) -> Done:
        capsys.readouterr()
        code = run_command(list(words))
        captured = capsys.readouterr()
        return Done(code, captured.out, captured.err)

    yield call
    streams.seed(0)


@pytest.fixture
def only_run(command, tmp_path) -> Callable[..., Path]:
    """`only_run(word, …)` runs a config that must succeed and returns its folder."""

    def call(*words: str) -> Path:
        done = command(*words)
        assert done.code == 0, done.err
        lines = [line for line in done.out.splitlines() if not line.startswith("report:")]
        return Path(
            lines[-1].split()[0] if "finished before" not in done.out else done.out.split()[2]
        ).absolute()

    return call
