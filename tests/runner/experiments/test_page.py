"""The page of results."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest

from initlab.runner.claims.claim import parse_claims
from initlab.runner.claims.judge import REPRODUCED, Estimate, judge
from initlab.runner.cli import run_command
from initlab.runner.experiments import page
from initlab.runner.experiments.catalogue import experiments
from initlab.runner.experiments.performing import Judgement, Performed, checked_sweep

ROOT = Path(__file__).parents[3]


EXPERIMENTS = experiments()
PAGE = (ROOT / "docs" / "results.md").read_text()
ROWS = re.findall(
    r"^\| \[(\w+)\]\(#\w+\) \| (\S+) \| (.+?) \| .* \| (\S+) \| (\w+.*) \|$", PAGE, re.MULTILINE
)


def test_the_page_says_why_a_claim_with_a_large_z_is_reproduced(tmp_path, monkeypatch):
    monkeypatch.setattr(page, "available", lambda: False)
    claims = parse_claims(
        [
            {"id": name, "quantity": "figures.loss", "predicted": 1.0, "error": 0.01, "cite": "me"}
            | {"floor": floor, "within": 0.5}
            for name, floor in (("plain", 0.0), ("floored", 0.2))
        ]
    )
    found = judge(claims, [Estimate(v, 0.01, 9, math.inf, (v,)) for v in (1.01, 1.1)])
    done = Performed(EXPERIMENTS["haar"], claims, [], [], tmp_path, 0.0, False)
    text = page.write_page(tmp_path, [Judgement(done, found)], 1e-6).read_text()
    assert "| floored | 1 | 1.1 | 0.01 | 0.2 | +10.00 | reproduced, floor 0.2 |" in text
    assert "| plain | 1 | 1.01 | 0.01 | 0 | +1.00 | reproduced |" in text
    assert (
        "reproduced. The floor is the reason, with a z of +10.00: it is off by 0.1, and 0.2" in text
    )
    assert text.count("The floor is the reason") == 1


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]}.{row[1]}")
def test_every_large_z_of_the_page_has_its_reason_there(row):
    name, claim, predicted, z, verdict = row
    line = re.search(rf"(?s)\n## {name}\n.*?(\n- \*\*{claim}\*\*.*?\n)", PAGE)
    assert line and ("The floor is the reason" in line[1]) == (
        abs(float(z)) > 4 and "=" not in predicted
    )
    assert (", floor " in verdict) == ("The floor is the reason" in line[1])


def test_the_page_says_which_claims_share_their_noise(tmp_path, monkeypatch):
    monkeypatch.setattr(page, "available", lambda: False)
    claims = parse_claims(
        [
            {"id": name, "quantity": "figures.loss", "predicted": 1.0, "cite": "me", "within": 9}
            for name in ("one", "two", "three")
        ]
    )
    draws = (1.1, 0.9, 1.3, 0.7)
    points = (draws, tuple(2 * x for x in draws), (0.9, 0.8, 1.3, 1.1))
    found = judge(claims, [Estimate(1.0, 0.1, 4, 3, one) for one in points])
    done = Performed(EXPERIMENTS["haar"], claims, [], [], tmp_path, 0.0, False)
    text = page.write_page(tmp_path, [Judgement(done, found)], 1e-6).read_text()
    assert "\none and two share their noise: they are measured on the same draws" in text


@pytest.mark.slow
def test_the_page_of_results_is_about_the_claims_that_there_are():
    rows = re.findall(
        r"^\| \[(\w+)\]\(#\w+\) \| (\S+) \| (.+?) \| .* \| (\w+).* \|$", PAGE, re.MULTILINE
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
    written = Path("pages/results.md").read_text()
    assert "![marchenko_pastur: distance reproduced;" in written and Path(
        "pages/results/lsuv.svg"
    ).read_text().startswith("<?xml")
    assert Path("outputs/lsuv/claims.json").exists()
