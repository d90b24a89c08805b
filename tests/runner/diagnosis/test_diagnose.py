"""From an observation to a diagnosis."""

from __future__ import annotations

from observed import chain, seen_in

from initlab.engine import init, random
from initlab.runner.diagnosis.diagnose import diagnosis_of, risk
from initlab.runner.symptoms import Examined


def test_the_worst_finding_comes_first():
    found = diagnosis_of(seen_in(chain(8, "relu", init.Normal(0.01)))).findings
    severities = [("fatal", "harmful", "odd").index(finding.severity) for finding in found]
    assert len(found) > 2 and severities == sorted(severities)


def test_risk_orders_networks_with_and_without_findings():
    random.seed(0)
    scales = [0.177, 0.1, 0.05, 0.01]  # 0.177 is He's for 64 inputs
    risks = [risk(Examined(seen_in(chain(8, "relu", init.Normal(s))))) for s in scales]
    assert risks == sorted(risks) and risks[0] < 0 < risks[-1]
