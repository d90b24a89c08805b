"""The command that runs experiments and judges them: exit codes, controls, and what is misspelled."""

from __future__ import annotations

from pathlib import Path

import pytest

from initlab.runner.claims.judge import INCONCLUSIVE
from initlab.runner.cli import run_command
from initlab.runner.experiments.catalogue import experiments

EXPERIMENTS = experiments()


@pytest.mark.slow
def test_the_command_ends_with_3_for_an_inconclusive_claim_and_with_1_for_a_refuted_one(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    assert run_command(["experiments", "marchenko_pastur", "seed=0,1"]) == 3
    assert INCONCLUSIVE in capsys.readouterr().out
    assert run_command(["experiments", "lsuv", "init=orthogonal"]) == 1


@pytest.mark.slow
def test_controls_are_run_on_request(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run_command(["experiments", "--controls", "lsuv"]) == 0
    assert "lsuv init=orthogonal: refuted: tanh_least" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["he_forwrd"],
            "error: experiment: no experiment 'he_forwrd' with claims - did you mean 'he_forward'?",
        ),
        (
            ["lsuv", "init.toleranc=1"],
            "error: init.toleranc: no such key - did you mean 'tolerance'?",
        ),
    ],
)
def test_what_is_misspelled_is_refused(words, said, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run_command(["experiments", *words]) == 2
    assert said in capsys.readouterr().err
    assert not Path("outputs").exists()


def test_the_experiments_are_listed_with_what_they_ask(capsys):
    assert run_command(["experiments", "--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    named = [line.split()[0] for line in lines if not line.startswith(" ")]
    assert named == sorted(EXPERIMENTS) and max(map(len, lines)) <= 80
    assert sum("?" in line for line in lines) == len(EXPERIMENTS)
