"""The command line: which command is meant, and how it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import initlab
from initlab.engine import streams
from initlab.runner import cli
from initlab.runner.cli import run_command
from initlab.runner.errors import Terminated

implementation = sys.modules["initlab.engine.streams.implementation"]


@pytest.mark.parametrize("words", [[], ["run"], ["verify"], ["init=he", "-m"]])
def test_the_version_is_ours_beside_whatever_it_stands(words, capsys):
    assert run_command([*words, "--version"]) == 0
    assert capsys.readouterr().out == f"initlab {initlab.__version__}\n{streams.why_core()}\n"


def test_an_environment_that_names_nothing_that_can_draw_is_refused(monkeypatch, capsys):
    monkeypatch.setenv("ENGINE_DRAW", "nupmy")
    monkeypatch.setattr(implementation, "_state", implementation._State())
    for words in (["--version"], ["plan", "init=he"], ["init=he"]):
        assert run_command(words) == 2
        assert capsys.readouterr().err == (
            "error: ENGINE_DRAW: no implementation 'nupmy' - did you mean 'numpy'? "
            "Known: auto, avx2, avx512, baseline, numpy.\n"
        )


def test_a_word_that_is_no_command_is_refused_with_the_nearest(capsys):
    assert run_command(["verfy", "outputs"]) == 2
    assert capsys.readouterr().err.startswith(
        "error: verfy: is neither a command nor a word like key=value (initlab help lists them) - "
        "did you mean 'verify'? Known: advise, audit, "
    )


@pytest.mark.parametrize("words", [[], ["run"]])
def test_run_is_meant_where_no_command_is_named(words, command):
    done = command(*words, "init=constant", "init.value=2", "dry_run=true")
    assert (done.code, "1 run: 1 to run; nothing was written" in done.out) == (0, True)


def test_plugin_needs_a_file(capsys):
    assert run_command(["verify", "--plugin"]) == 2
    assert capsys.readouterr().err == "error: --plugin: needs the path of a Python file\n"


@pytest.mark.parametrize(
    ("raised", "code", "said"),
    [
        (KeyboardInterrupt, 130, "stopped from the keyboard"),
        (Terminated(signal.SIGTERM), 143, "error: stopped by SIGTERM\n"),
        (MemoryError, 2, "needs more memory than"),
    ],
)
def test_a_stop_and_a_lack_of_memory_are_a_line_and_an_exit_code(
    raised, code, said, monkeypatch, capsys
):
    def fail(words):
        raise raised

    monkeypatch.setattr(cli, "dispatch", fail)
    assert run_command(["init=normal"]) == code
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("words", [["plan", "init=he"], ["experiments", "--list"]])
def test_a_reader_that_stops_reading_gets_no_traceback(words):
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as out:
        done = subprocess.run(
            [sys.executable, "-m", "initlab", *words],
            cwd=Path(__file__).parents[2],
            stdout=out,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("words", [["plan", "init=he"], ["--help"]])
def test_a_full_disk_under_stdout_is_one_line(words):
    with open("/dev/full", "w") as out:
        done = subprocess.run(
            [sys.executable, "-m", "initlab", *words],
            cwd=Path(__file__).parents[2],
            stdout=out,
            stderr=subprocess.PIPE,
            text=True,
        )
    said = "error: stdout cannot be written: No space left on device\n"
    assert (done.returncode, done.stderr) == (2, said)


def test_a_group_and_its_option_as_two_words_are_one(capsys):
    assert run_command(["init", "he"]) == 2
    assert capsys.readouterr().err == "error: init: is a group of options - write init=he\n"


@pytest.mark.parametrize("form", [["--config-dir", "{}"], ["--config-dir={}"], ["-cd", "{}"]])
@pytest.mark.parametrize("name", ["diagnose", "plan"])
def test_the_place_of_the_options_may_stand_before_the_command(form, name, tmp_path, capsys):
    (tmp_path / "init").mkdir()
    (tmp_path / "init" / "mine.yaml").write_text("kind: constant\nvalue: 0.5\n")
    before = [word.format(tmp_path) for word in form]
    assert run_command([*before, name, "init=mine"]) == 0
    first = capsys.readouterr().out
    assert run_command([name, "init=mine", *before]) == 0
    assert capsys.readouterr().out == first


def test_a_command_after_other_words_is_still_refused(capsys):
    assert run_command(["init=he", "plan"]) == 2
    assert "is a command, which comes first" in capsys.readouterr().err
