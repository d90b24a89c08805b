"""From an observation to a diagnosis: every check looks, and the worst comes first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from initlab.runner.diagnosis.checks import REGISTRY, Check, Examined
from initlab.runner.diagnosis.cure import cure_for
from initlab.runner.diagnosis.observation import Observation
from initlab.runner.evidence.diagnosed import Diagnosis


def all_checks() -> Iterator[Check]:
    """Yield an instance of every check, those of plugins included."""
    for name in sorted(REGISTRY):
        yield REGISTRY.get(name)()


def diagnose(given: Examined) -> Diagnosis:
    """Return the findings of all checks, worst first."""
    checks = list(all_checks())
    found = [finding for check in checks for finding in check.findings(given)]
    found.sort(key=lambda finding: (-finding.place, finding.id))
    return Diagnosis(tuple(found), tuple(check.title for check in checks))


def diagnosis_of(seen: Observation, **more: Any) -> Diagnosis:
    """Return the diagnosis of what was observed; `more` are further parts of `Examined`."""
    return diagnose(Examined(seen, cure=cure_for(seen), **more))


def risk(given: Examined) -> float:
    """Return the worst place that any check gives, below 0 if there is no finding.

    It orders networks by how bad their worst figure is; `docs/diagnosis.md` holds it against
    training.
    """
    places = [place for check in all_checks() for place, _ in check.readings(given)]
    return max(places, default=-1.0)
