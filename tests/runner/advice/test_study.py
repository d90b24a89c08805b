"""`docs/advice.md` and its table of candidates, held against the ranking."""

from __future__ import annotations

import csv
import itertools
import json
import subprocess
import sys
from pathlib import Path

import pytest

from initlab.runner.advice.ranking import ranked
from initlab.runner.terminal.advice import Tried

ROOT = Path(__file__).parents[3]
NAMES = (
    "2157-dense-dense-tanh-4-32-plain-noisy",
    "2152-residual-residual-selu-2-32-layer_norm-noisy",
)
TABLE = ROOT / "docs" / "advice_study.csv"


def networks(part):
    """{network: {candidate: (row, ratio)}}, in the order of the candidates."""
    with TABLE.open() as table:
        rows = [row for row in csv.DictReader(table) if row["part"] == part]
    return {
        name: {row["initializer"]: (tried_of(row), float(row["ratio"])) for row in group}
        for name, group in itertools.groupby(rows, key=lambda row: row["network"])
    }


def tried_of(row):
    return Tried(
        words=row["initializer"],
        worst=None,
        risk=float(row["risk"]),
        loss=None,
        ahead=float(row["ahead"]),
        ignorance=1.0,
        forward=None,
        backward=None,
        cosine=None,
        dead=None,
    )


def first_of(network):
    """The words of the first choice."""
    return ranked([row for row, _ in network.values()])[0].words


@pytest.mark.parametrize(
    ("part", "share", "least"), [("first", 0.9, 20), ("second", 0.9, 20), ("transformers", 0.9, 8)]
)
def test_the_first_choice_trains_within_five_percent_of_the_best(part, share, least):
    found = [network[first_of(network)][1] for network in networks(part).values()]
    assert len(found) >= least
    assert sum(ratio <= 1.05 for ratio in found) / len(found) >= share


AGAIN = """
import json, sys
sys.path.insert(0, "docs")
import advice_study as study
from advice_table import rows_of
for part in study.PARTS:
    for case in study.cases(study.PARTS[part]):
        if case.name in sys.argv[1:]:
            record = json.loads(json.dumps(study.study(case)))
            print(json.dumps([row[1:] for row in rows_of(part, record)]))
"""


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_network_of_the_study_that_is_trained_again_bears_the_advice_out(name):
    done = subprocess.run(
        [sys.executable, "-c", AGAIN, name], cwd=ROOT, capture_output=True, text=True, check=True
    )
    with TABLE.open() as table:
        told = {row["initializer"]: row for row in csv.DictReader(table) if row["network"] == name}
    found = {row[1]: row for row in json.loads(done.stdout)}
    assert found.keys() == told.keys()
    for words, (_, _, risk, ahead, _) in found.items():
        assert (float(risk) >= 1) == (float(told[words]["risk"]) >= 1)  # harmful
        assert float(ahead) == pytest.approx(float(told[words]["ahead"]), rel=0.02)
    assert float(found[first_of(networks("first")[name])][4]) <= 1.05
