"""One candidate: what an observation shows of it, and its place among the others."""

from __future__ import annotations

import math
from collections.abc import Sequence

from initlab.runner.diagnosis.diagnose import diagnose, risk
from initlab.runner.symptoms import Examined
from initlab.runner.symptoms.backward import flow
from initlab.runner.symptoms.base import slope
from initlab.runner.symptoms.forward import path_of_signal
from initlab.runner.symptoms.units import DeadUnits
from initlab.runner.terminal.advice import Tried

NEAR = 0.15
"""Losses ahead that differ by less than this part of the loss of equal scores tell nothing: from the
study in docs/advice.md.
"""
HARMFUL = 1.0
"""The place on a symptom's scale from which a finding is harmful."""


def tried(words: str, given: Examined, ahead: float | None = None) -> Tried:
    """Return the row of a candidate from what was observed, and its loss after a few steps."""
    seen = given.seen
    hidden, back = path_of_signal(seen), flow(seen)
    up = slope(hidden, [stage.signal.rms for stage in hidden])
    down = slope([stage for stage, _ in back], [length for _, length in back])
    cosines = [stage.signal.cosine for stage in hidden if stage.signal.cosine is not None]
    silent = [reading.figure for reading in DeadUnits().look(given)]
    findings = diagnose(given).findings
    return Tried(
        words=words,
        worst=findings[0] if findings else None,
        risk=risk(given),
        loss=seen.loss,
        ahead=ahead,
        ignorance=seen.ignorance,
        forward=up,
        backward=None if down is None else 1 / down,
        cosine=cosines[-1] if cosines else None,
        dead=max(silent, default=None),
    )


def ranked(rows: Sequence[Tried]) -> list[Tried]:
    """Return the rows, best first; they are given in the order in which theory prefers them.

    Rows whose loss ahead is near the lowest keep their order, since a few steps tell no more: it is
    larger by at most `NEAR` times the loss of equal scores. The others follow by their loss ahead, and
    last the rows with a harmful or fatal finding. Without a loss the place of the worst finding
    decides. Rows that were trained come before all others, by their loss.
    """
    lowest = min((row.ahead for row in rows if row.ahead is not None), default=math.inf)

    def order(row: Tried) -> tuple[float, ...]:
        if row.trained is not None:
            return 0, row.trained
        if row.ahead is None or row.ignorance is None or math.isinf(lowest):
            return 1, max(row.risk, 0.0)
        near = row.ahead <= lowest + NEAR * row.ignorance
        return 1, float(row.risk >= HARMFUL), 0.0 if near else row.ahead

    return sorted(rows, key=order)
