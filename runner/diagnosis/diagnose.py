"""From an observation to a diagnosis: every symptom looks, and the worst comes first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from initlab.runner.diagnosis.cure import cure_for
from initlab.runner.evidence.diagnosed import Diagnosis
from initlab.runner.observation.passes import Observation
from initlab.runner.symptoms import REGISTRY, Examined, Symptom


def all_symptoms() -> Iterator[Symptom]:
    """Yield an instance of every symptom, those of plugins included."""
    for name in sorted(REGISTRY):
        yield REGISTRY.get(name)()


def diagnose(given: Examined) -> Diagnosis:
    """Return the findings of all symptoms, worst first."""
    symptoms = list(all_symptoms())
    found = [finding for symptom in symptoms for finding in symptom.findings(given)]
    found.sort(key=lambda finding: (-finding.place, finding.id))
    return Diagnosis(tuple(found), tuple(dict.fromkeys(symptom.title for symptom in symptoms)))


def diagnosis_of(seen: Observation, declared: str = "", **more: Any) -> Diagnosis:
    """Return the diagnosis of what was observed; `more` are further parts of `Examined`.

    `declared` are the words of the initializer that drew the values, which no finding advises.
    """
    cure = tuple(words for words in cure_for(seen) if words != declared)
    return diagnose(Examined(seen, cure=cure, **more))


def risk(given: Examined) -> float:
    """Return the worst place that any symptom gives, below 0 if there is no finding.

    It orders networks by how bad their worst figure is; `docs/diagnosis.md` holds it against
    training.
    """
    places = [place for symptom in all_symptoms() for place, _ in symptom.readings(given)]
    return max(places, default=-1.0)
