"""The mean and deviation of a figure over the seeds of a setting."""

from __future__ import annotations

import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from initlab.runner.evidence.diagnosed import Diagnosis, Finding
from initlab.runner.evidence.settings import Setting, Settings, Spread


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=20))
def test_mean_and_deviation_are_those_of_the_sample(values):
    spread = Spread()
    for value in values:
        spread.add(value)
    assert spread.mean == pytest.approx(statistics.fmean(values), abs=1e-6)
    assert spread.deviation == pytest.approx(statistics.stdev(values), abs=1e-5)


def test_one_run_has_no_deviation():
    spread = Spread()
    spread.add(0.5)
    assert Setting({}, 1, 1, figures={"loss": spread}).text("loss") == "0.5"


def test_runs_that_differ_in_the_seed_only_are_one_setting():
    settings = Settings(["init", "seed"])
    for init in ("he", "normal"):
        for seed in range(3):
            row = {"state": "completed", "loss": float(seed), "name": "x", "exact": True}
            settings.add({"init": init, "seed": str(seed)}, row, ["loss", "name", "exact"])
    assert [setting.values for setting in settings.ranked()] == [{"init": "he"}, {"init": "normal"}]
    assert [setting.text("loss") for setting in settings.ranked()] == ["1 ± 1", "1 ± 1"]
    assert settings.figures == ["loss"]


def diagnosis(*places: float) -> Diagnosis:
    """A diagnosis with findings of these places, the worst first: 2 is fatal, 1 harmful, 0 odd."""
    found = [Finding(f"id-{at}", "0", 1.0, None, "m", "e", "w", "s", (), at) for at in places]
    return Diagnosis(tuple(found), ("all",))


def diagnosed(found: dict[str, list[Diagnosis | None]], objective: dict[str, float] | None = None):
    """Settings over `init`, each with the runs of these diagnoses; None is a run that failed."""
    settings = Settings(["init", "seed"])
    for init, runs in found.items():
        for seed, one in enumerate(runs):
            row = {"state": "completed" if one else "failed"}
            if objective is not None:
                row["objective"] = objective[init]
            settings.add({"init": init, "seed": str(seed)}, row, row.keys() - {"state"}, one)
    return settings


FOUND = {
    "failed": [None],
    "fatal": [diagnosis(2.5), diagnosis(2.1)],
    "often fatal": [diagnosis(2.5, 2.1)],
    "odd": [diagnosis(0.5)],
    "half": [diagnosis(), None],
    "harmful": [diagnosis(1.5, 0.5)],
    "seldom": [diagnosis(), diagnosis(1.0)],
    "sound": [diagnosis()],
}


def test_without_an_objective_those_with_the_fewest_and_mildest_findings_are_first():
    ranked = [setting.values["init"] for setting in diagnosed(FOUND).ranked()]
    assert ranked == [
        "sound",
        "odd",
        "seldom",
        "harmful",
        "fatal",
        "often fatal",
        "half",
        "failed",
    ]


def test_an_objective_goes_before_the_diagnosis():
    objective = {name: -float(at) for at, name in enumerate(FOUND)}
    ranked = diagnosed(FOUND, objective).ranked()
    assert [setting.values["init"] for setting in ranked] == list(reversed(FOUND))


def test_a_setting_shows_its_worst_finding_and_counts_the_runs_with_one_as_severe():
    runs = [diagnosis(), diagnosis(2.1), diagnosis(2.7, 1.0), diagnosis(1.5)]
    [setting] = diagnosed({"a": runs}).ranked()
    assert setting.diagnosis == "fatal: id-2.7 (2 of 4)"
    shown = {s.values["init"]: s.diagnosis for s in diagnosed(FOUND).ranked()}
    assert shown["fatal"] == "fatal: id-2.5" and shown["sound"] == "none" and shown["failed"] == "-"
