"""The published experiments: their files say what they are about."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from initlab.runner.cli import run_command
from initlab.runner.experiments.catalogue import experiments

ROOT = Path(__file__).parents[3]


EXPERIMENTS = experiments()


PUBLISHED = {
    "he_forward",
    "marchenko_pastur",
    "layer_jacobian",
    "jacobian_spread",
    "delta_orthogonal",
    "order_chaos",
    "depth_scale",
    "correlation_map",
    "residual_growth",
    "residual_doubling",
    "length_variance",
    "deep_linear",
    "mup",
    "fixup",
    "lsuv",
    "he_stall",
    "siren",
    "haar",
}


def test_the_published_results_are_all_there():
    assert set(EXPERIMENTS) == PUBLISHED


@pytest.mark.parametrize("name", sorted(EXPERIMENTS))
def test_a_file_opens_with_its_question_its_source_and_its_command(name):
    experiment = EXPERIMENTS[name]
    assert "?" in experiment.question, experiment.question
    assert re.search(r"\b(19|20)\d\d\b", experiment.text), "no year of a citation"
    several = any(
        line.startswith("sweep:")
        for line in (ROOT / f"conf/experiment/{name}.yaml").read_text().splitlines()
    )
    assert f"    python -m runner {'-m ' * several}experiment={name}" in experiment.comment
    assert experiment.control, "no control"


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
    assert len(lines) == len(EXPERIMENTS) and all("?" in line for line in lines)
