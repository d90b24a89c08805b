"""The mean and deviation of a figure over the seeds of a setting."""

from __future__ import annotations

import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
