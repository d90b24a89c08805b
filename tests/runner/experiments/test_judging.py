"""Every published result is reproduced, every control is refuted, and the files say what they are
about.
"""

from __future__ import annotations

import re
from contextlib import chdir
from functools import cache
from pathlib import Path

import pytest

from initlab.runner.claims.judge import INCONCLUSIVE, REFUTED, REPRODUCED, judge
from initlab.runner.cli import run_command
from initlab.runner.experiments.catalogue import experiments
from initlab.runner.experiments.performing import Performed, perform, prepare

ROOT = Path(__file__).parents[3]
EXPERIMENTS = experiments()
CONTROLS = [
    (name, words) for name, experiment in EXPERIMENTS.items() for words in experiment.control
]
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


@pytest.fixture(scope="module")
def performed(tmp_path_factory):
    """What an experiment came to, made once for all tests."""
    folder = tmp_path_factory.mktemp("experiments")

    @cache
    def made(name: str) -> Performed:
        with chdir(folder):
            return perform(EXPERIMENTS[name])

    return made


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


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(EXPERIMENTS))
def test_every_claim_of_a_published_result_is_reproduced(name, performed):
    found = performed(name)
    judged = judge(found.claims, found.estimates)
    assert [(one.claim.id, one.verdict, one.reason) for one in judged] == [
        (claim.id, REPRODUCED, "") for claim in found.claims
    ]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "words"), CONTROLS, ids=[f"{name} {words}" for name, words in CONTROLS]
)
def test_a_wrong_setting_is_refuted(name, words, tmp_path):
    with chdir(tmp_path):
        found = perform(EXPERIMENTS[name], words.split())
    assert REFUTED in [one.verdict for one in judge(found.claims, found.estimates)]


def test_the_page_of_results_is_about_the_claims_that_there_are(performed):
    page = (ROOT / "docs" / "results.md").read_text()
    rows = re.findall(
        r"^\| \[(\w+)\]\(#\w+\) \| (\S+) \| (.+?) \| .* \| (\w+) \|$", page, re.MULTILINE
    )
    claims = {name: prepare([f"experiment={name}"]).claims for name in EXPERIMENTS}
    assert [(name, claim) for name, claim, *_ in rows] == [
        (name, claim.id) for name in EXPERIMENTS for claim in claims[name]
    ]
    assert {verdict for *_, verdict in rows} == {REPRODUCED}
    shown = {
        (name, claim): float(predicted.rpartition(" ")[2]) for name, claim, predicted, _ in rows
    }
    for name in EXPERIMENTS:
        for claim in claims[name]:
            assert shown[name, claim.id] == pytest.approx(claim.predicted, rel=1e-4, abs=1e-12), (
                name,
                claim.id,
            )
        assert (ROOT / "docs" / "results" / f"{name}.svg").exists()


def test_the_command_runs_what_is_named_judges_it_and_writes_a_page(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run_command(["experiments", "marchenko_pastur", "lsuv", "--docs", "pages"]) == 0
    out = capsys.readouterr().out
    assert "2 experiments, 10 claims: 10 reproduced, 0 refuted, 0 inconclusive" in out
    page = Path("pages/results.md").read_text()
    assert "![marchenko_pastur: distance reproduced;" in page and Path(
        "pages/results/lsuv.svg"
    ).read_text().startswith("<?xml")
    assert Path("outputs/lsuv/claims.json").exists()


def test_the_command_ends_with_3_for_an_inconclusive_claim_and_with_1_for_a_refuted_one(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    assert run_command(["experiments", "marchenko_pastur", "seed=0,1"]) == 3
    assert INCONCLUSIVE in capsys.readouterr().out
    assert run_command(["experiments", "lsuv", "init=orthogonal"]) == 1


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
    assert len(lines) == len(EXPERIMENTS) and all("?" in line for line in lines)
