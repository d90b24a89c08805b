"""`initlab diagnose`."""

from __future__ import annotations

import pytest

from initlab.runner.cli import run_command


def test_the_command_prints_the_diagnosis_and_writes_nothing(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run_command(["diagnose", "init=zero"]) == 0
    assert capsys.readouterr().out.startswith("diagnosis: 3 fatal")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("word", ["task=plan", "dry_run=true", "diagnose=false"])
def test_words_that_say_something_else_to_do_are_refused(word, capsys):
    assert run_command(["diagnose", word]) == 2
    assert "has no meaning beside the command diagnose" in capsys.readouterr().err
