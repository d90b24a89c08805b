"""Verdicts: what needs no other parameter, and Holm's rule over the rest."""

from __future__ import annotations

import pytest

from initlab.engine import laws
from initlab.runner.evidence.verdict import FAMILY_ERROR, judge

NORMAL, ZERO = laws.Normal(0.0, 1.0), laws.Constant(0.0)


@pytest.mark.parametrize(
    ("law", "figures", "verdict"),
    [
        (ZERO, {"bound_ok": True}, "exact"),
        (NORMAL, {"bound_ok": True}, "ok"),
        (NORMAL, {"bound_ok": False}, "off"),
        (NORMAL, {"bound_ok": True, "invariants_ok": False}, "off"),
        (NORMAL, {}, "untested"),
    ],
)
def test_a_verdict_that_needs_no_other_parameter(law, figures, verdict):
    assert judge({"a": law}, {"a": figures}) == {"a": verdict}


def test_the_smallest_p_has_to_stand_out_among_all():
    def verdicts(p: float) -> list[str]:
        figures = {
            name: {"bound_ok": True, "p": value}
            for name, value in (("a", p), ("b", 0.5), ("c", 0.9))
        }
        return list(judge(dict.fromkeys("abc", NORMAL), figures).values())

    assert verdicts(0.9 * FAMILY_ERROR / 3) == ["off", "ok", "ok"]
    assert verdicts(1.1 * FAMILY_ERROR / 3) == ["ok", "ok", "ok"]
