"""The figures of a candidate, and its place among the others."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from observed import chain, seen_in

from initlab.engine import init
from initlab.runner.advice.ranking import ranked, tried
from initlab.runner.symptoms import Examined


def test_the_row_of_a_candidate_has_the_figures_of_the_observation():
    seen = seen_in(chain(6, "relu", init.Xavier()))
    row = tried("init=xavier", Examined(seen))
    rms = [stage.signal.rms for stage in seen.hidden]
    assert row.forward == pytest.approx((rms[-1] / rms[0]) ** (1 / (len(rms) - 1)), rel=0.2)
    assert row.forward < 1
    assert row.backward is not None and row.backward < 1
    assert row.loss == seen.loss
    assert row.cosine == seen.hidden[-1].signal.cosine
    assert row.dead is not None and 0 <= row.dead < 1


def test_fewer_than_three_blocks_have_no_growth():
    row = tried("init=he", Examined(seen_in(chain(2, "relu", "he"))))
    assert (row.forward, row.backward) == (None, None)


def test_the_best_comes_first_and_what_was_trained_before_all():
    row = tried("init=he", Examined(seen_in(chain(2, "relu", "he"))))
    mild, bad = replace(row, words="mild", risk=-0.5), replace(row, words="bad", risk=2.5)
    slow = replace(bad, words="slow", trained=2.0)
    failed = replace(bad, words="failed", risk=-3.0, trained=math.inf)
    found = ranked([bad, failed, mild, slow])
    assert [one.words for one in found] == ["slow", "failed", "mild", "bad"]


def test_rows_without_a_finding_stay_in_their_order():
    row = tried("init=he", Examined(seen_in(chain(2, "relu", "he"))))
    rows = [replace(row, words=str(risk), risk=risk) for risk in (0.5, -0.1, -0.9, 0.2)]
    assert [one.words for one in ranked(rows)] == ["-0.1", "-0.9", "0.2", "0.5"]
