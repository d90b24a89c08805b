"""`initlab help`: names, plugins and folders of one's own on the command line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PLUGIN = '''
from dataclasses import dataclass
from initlab.engine import init

@init.register
@dataclass(eq=False, repr=False)
class MyOwn(init.Initializer):
    """Half of something."""

    factor: float = 0.5
    """What is halved."""
'''


def test_a_name_shows_what_it_does_its_options_and_an_example(command):
    done = command("help", "dense")
    assert done.code == 0
    for part in ("dense: layer", "Options", "units", "whole number", "must be given"):
        assert part in done.out


@pytest.mark.parametrize(
    ("name", "close"),
    [
        ("dens", "dense"),
        ("sigm", "sigma"),
        ("ini", "init"),
        ("init.hee", "init.he"),
        ("init=hee", "init.he"),
    ],
)
def test_a_wrong_name_is_refused_with_the_nearest(command, name, close):
    done = command("help", name)
    assert (done.code, done.out) == (2, "")
    assert done.err == (
        f"error: {name}: is nothing that a config can name - did you mean '{close}'? "
        "initlab help lists the groups\n"
    )


def test_two_names_are_both_looked_up_before_anything_is_printed(command):
    done = command("help", "he", "dens")
    assert (done.code, done.out) == (2, "")
    assert "he: initializer" in (out := command("help", "he", "dense").out)
    assert "dense: layer" in out


def test_a_plugins_kinds_and_a_folders_options_are_shown(tmp_path):
    (tmp_path / "mine.py").write_text(PLUGIN)
    (tmp_path / "own" / "model").mkdir(parents=True)
    (tmp_path / "own" / "model" / "wide.yaml").write_text("# Wide.\ninput: [3]\n")
    words = ["--plugin", str(tmp_path / "mine.py"), "--config-dir", str(tmp_path / "own")]

    def printed(*names: str) -> str:
        return subprocess.run(
            [sys.executable, "-m", "runner", "help", *names, *words],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "COLUMNS": "200"},
        ).stdout

    shown = printed("my_own", "wide", "init")
    assert "Half of something." in shown
    assert "What is halved." in shown
    assert "a number (default 0.5)" in shown
    assert "wide: network" in shown
    assert max(map(len, shown.splitlines())) <= 80
    assert "\x1b" not in shown


def test_a_folder_that_is_none_is_refused(command):
    done = command("help", "--config-dir", "nowhere")
    assert (done.code, done.out) == (2, "")
    assert "--config-dir nowhere" in done.err


def test_without_a_name_the_groups_are_listed(command):
    done = command("help")
    assert (done.code, done.err) == (0, "")
    assert "how its parameters are drawn" in done.out
