"""The page of results."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from initlab.runner.claims.judge import REPRODUCED
from initlab.runner.cli import run_command
from initlab.runner.experiments.catalogue import experiments
from initlab.runner.experiments.performing import checked_sweep

ROOT = Path(__file__).parents[3]


EXPERIMENTS = experiments()


@pytest.mark.slow
def test_the_page_of_results_is_about_the_claims_that_there_are():
    page = (ROOT / "docs" / "results.md").read_text()
    rows = re.findall(
        r"^\| \[(\w+)\]\(#\w+\) \| (\S+) \| (.+?) \| .* \| (\w+) \|$", page, re.MULTILINE
    )
    claims = {name: checked_sweep([f"experiment={name}"]).claims for name in EXPERIMENTS}
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


@pytest.mark.slow
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
