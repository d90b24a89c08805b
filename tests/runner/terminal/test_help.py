"""`--help`: every command is named, every example runs, and it fits."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from initlab.runner.terminal import help as runner_help

ROOT = Path(__file__).parents[3]


@pytest.fixture
def text(command) -> str:
    done = command("--help")
    assert done.code == 0
    assert done.err == ""
    return done.out


@pytest.mark.parametrize("width", [70, 80, 120])
def test_no_line_is_wider_than_asked(width):
    assert not [
        line for line in runner_help.help_text(width=width).splitlines() if len(line) > width
    ]


def test_in_a_pipe_lines_have_80_columns_and_head_may_stop_reading(tmp_path):
    words = [sys.executable, "-m", "runner", "--help"]
    done = subprocess.run(
        words,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        env={"COLUMNS": "200", "PATH": ""},
    )
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert done.stdout.isascii()
    with subprocess.Popen(
        words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout and process.stderr
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 0


def test_every_command_is_named(text):
    listed = text.partition("\nCommands")[2].partition("\n\n")[0]
    named = set(re.findall(r"^ +initlab (\w+)", listed, re.MULTILINE))
    files = {file.stem for file in (ROOT / "runner" / "commands").glob("*.py")}
    assert named == files - {"__init__", "base"}


def test_every_example_composes(command, monkeypatch):
    for words, _ in runner_help.EXAMPLES:
        if "my_init" not in words:
            given = [word.strip("'") for word in words.split()]
            done = command(*given, "dry_run=true") if "task=plan" not in words else command(*given)
            assert done.code == 0, done.err


def test_words_beside_help_are_not_composed(command, text, tmp_path):
    marker = tmp_path / "called"
    for words in (
        ["init=he"],
        ["no=thing"],
        [f"+hydra.callbacks.x={{_target_: pathlib.Path.mkdir, self: {marker}}}"],
        ["-m"],
    ):
        assert command("--help", *words).out == text
    assert not list(tmp_path.iterdir())


def test_hydras_own_flags_work_as_before(command):
    assert "kind: he" in command("init=he", "--cfg", "job").out
    assert "Config search path" in command("--info", "searchpath").out
    done = subprocess.run(
        [sys.executable, "-m", "runner", "--hydra-help"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0
    assert "--experimental-rerun" in done.stdout


def test_files_that_an_installed_package_lacks_are_said_to_be_in_the_source(text):
    said = " ".join(text.split())
    assert "The source of InitLab comes with README.md" in said
    assert "initlab help" in said
