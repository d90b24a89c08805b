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


def rows(*figures):
    """Rows named a, b, … with these (risk, loss ahead), of a network with ten classes."""
    row = tried("init=he", Examined(seen_in(chain(2, "relu", "he"))))
    return [
        replace(row, words=words, risk=risk, ahead=ahead)
        for words, (risk, ahead) in zip("abcdef", figures, strict=False)
    ]


def order(found):
    return "".join(row.words for row in ranked(found))


def test_losses_ahead_that_are_alike_leave_the_order_of_theory():
    assert order(rows((-0.5, 1.2), (-0.5, 1.0), (-0.5, 1.34))) == "abc"


def test_a_row_whose_first_steps_lead_less_far_comes_later():
    assert order(rows((-0.5, 2.0), (-0.5, 1.0), (-0.5, 1.5), (-0.5, math.inf))) == "bcad"


def test_a_harmful_finding_comes_last_and_an_odd_one_changes_nothing():
    assert order(rows((1.5, 1.0), (0.5, 1.1), (-0.5, 2.0))) == "bca"


def test_without_a_loss_the_worst_finding_decides():
    assert order(rows((0.5, None), (-0.1, None), (-0.9, None), (0.2, None))) == "bcda"


def test_what_was_trained_comes_before_all():
    bad, failed, mild = rows((2.5, 9.0), (-3.0, 1.0), (-0.5, 1.0))
    slow, failed = replace(bad, words="slow", trained=2.0), replace(failed, trained=math.inf)
    assert [one.words for one in ranked([bad, failed, mild, slow])] == ["slow", "b", "c", "a"]
