"""The published experiments: their files say what they are about."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from initlab.runner.experiments.catalogue import Experiment, experiments

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
    assert f"    initlab {'-m ' * several}experiment={name}" in experiment.comment
    assert experiment.control, "no control"


@pytest.mark.parametrize("name", sorted(EXPERIMENTS))
def test_a_question_and_its_answer_are_whole_sentences_without_the_source(name):
    question = EXPERIMENTS[name].question
    assert re.fullmatch(r".+\?( .+[.])?", question)
    assert not re.search(r"\((19|20)\d\d|arXiv", question)


def test_a_question_may_have_several_lines():
    lines = ("How far does", "1.5 go? As far", "as x.y goes. A. Author, 1999.", "", "More? No.")
    assert Experiment("x", lines, ()).question == "How far does 1.5 go? As far as x.y goes."
    assert Experiment("x", ("A statement.",), ()).question == "A statement."
    assert Experiment("x", (), ()).question == "x"
