"""`docs/diagnosis.md` and its table of networks, held against the code."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from initlab.runner.symptoms import REGISTRY

DOCS = Path(__file__).parents[3] / "docs"


def scales_of_the_page():
    text = (DOCS / "diagnosis.md").read_text()
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    return {row[0]: row[2:5] for row in rows if row[0] in REGISTRY}


@pytest.mark.parametrize("name", sorted(REGISTRY))
def test_the_page_has_the_scale_of_every_symptom(name):
    scale = REGISTRY.get(name).scale
    ends = (scale.odd, scale.harmful, scale.fatal)
    assert scales_of_the_page()[name] == ["-" if end is None else f"{end:g}" for end in ends]


def test_no_network_of_the_study_that_trains_well_is_called_fatal():
    with (DOCS / "diagnosis_study.csv").open() as table:
        rows = list(csv.DictReader(table))
    well = [row for row in rows if float(row["progress"]) > 0.6]
    assert len(rows) == 760 and len(well) > 400
    assert [row["network"] for row in well if row["severity"] == "fatal"] == []


@pytest.mark.parametrize("part", ["set", "held-out", "last"])
def test_networks_that_fail_have_the_higher_risk(part):
    with (DOCS / "diagnosis_study.csv").open() as table:
        rows = [row for row in csv.DictReader(table) if row["part"] == part]
    fail = [float(row["risk"]) for row in rows if float(row["progress"]) < 0.2]
    rest = [float(row["risk"]) for row in rows if float(row["progress"]) >= 0.2]
    wins = sum((f > r) + (f == r) / 2 for f in fail for r in rest)
    assert wins / len(fail) / len(rest) >= 0.95
