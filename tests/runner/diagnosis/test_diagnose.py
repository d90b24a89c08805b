"""From an observation to a diagnosis."""

from __future__ import annotations

from observed import chain, seen_in

from initlab.engine import init
from initlab.runner.diagnosis.diagnose import diagnosis_of, risk
from initlab.runner.symptoms import Examined


def test_the_worst_finding_comes_first():
    found = diagnosis_of(seen_in(chain(8, "relu", init.Normal(0.01)))).findings
    places = [finding.place for finding in found]
    assert len(places) > 2 and places == sorted(places, reverse=True)


def test_risk_orders_networks_with_and_without_findings():
    scales = [0.177, 0.1, 0.05, 0.01]  # 0.177 is He's for 64 inputs
    risks = [risk(Examined(seen_in(chain(8, "relu", init.Normal(s))))) for s in scales]
    assert risks == sorted(risks) and risks[0] < 0 < risks[-1]
