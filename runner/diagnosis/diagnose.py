"""From an observation to a diagnosis: every symptom looks, and the worst comes first."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from initlab.runner.diagnosis.cure import cure_for, usual_activation, words_for
from initlab.runner.evidence.diagnosed import SEVERITIES, Diagnosis, Finding
from initlab.runner.observation.passes import Observation
from initlab.runner.plan.form import Form
from initlab.runner.symptoms import REGISTRY, Examined, Symptom

PARTS = ("diagnosis", "observation", "symptoms")
"""The rooms that decide what a diagnosis says."""


def all_symptoms() -> Iterator[Symptom]:
    """Yield an instance of every symptom, those of plugins included."""
    for name in sorted(REGISTRY):
        yield REGISTRY.get(name)()


def looks(given: Examined) -> list[tuple[Symptom, Examined]]:
    """Return the symptoms to look for, and what each looks at.

    The network is judged with samples of a usual size; what their own size does is the input's. Where
    the input makes figures meaningless, only the form of the network is judged.
    """
    symptoms = [one for one in all_symptoms() if one.section in (None, *given.sections)]
    hidden = any(
        place >= 1 for symptom in symptoms if symptom.hides for place, _ in symptom.readings(given)
    )
    usual = replace(given, seen=given.seen.usual[0]) if given.seen.usual else given
    return [
        (symptom, given if symptom.of_input else usual)
        for symptom in symptoms
        if symptom.of_input or symptom.by_form or not hidden
    ]


def diagnose(given: Examined) -> Diagnosis:
    """Return the findings of all symptoms, worst first; of equally severe ones, causes before what
    follows from them.
    """
    pairs = looks(given)
    found = [finding for symptom, seen in pairs for finding in symptom.findings(seen)]
    effects = {symptom.id for symptom, _ in pairs if symptom.effect}
    found.sort(key=lambda one: (_rank(one), one.id in effects, -one.place))
    titles = dict.fromkeys(symptom.title for symptom, _ in pairs)
    return Diagnosis(tuple(found), tuple(titles), code())


def _rank(finding: Finding) -> int:
    return -SEVERITIES.index(finding.severity)


def findings_declared(form: Form) -> tuple[Finding, ...]:
    """Return what is known to hurt in the form of a network alone, worst first: nothing is drawn and
    nothing is sent through it.
    """
    cure = (words_for(usual_activation(form)),)
    found = [one for symptom in all_symptoms() for one in symptom.findings_declared(form, cure)]
    return tuple(sorted(found, key=lambda one: (_rank(one), -one.place)))


@cache
def code() -> str:
    """Return the SHA-256, in hex, of the code that a diagnosis depends on, besides the engine's: the
    same code makes the same diagnosis of the same values.
    """
    found = hashlib.sha256()
    for room in PARTS:
        for file in sorted((Path(__file__).parents[1] / room).glob("*.py")):
            found.update(f"{room}/{file.name}\0".encode() + file.read_bytes() + b"\0")
    return found.hexdigest()


def diagnosis_of(
    seen: Observation, usable: Callable[[str], bool] = lambda words: True, **more: Any
) -> Diagnosis:
    """Return the diagnosis of what was observed; `more` are further parts of `Examined`.

    `usable` says whether the words of an initializer can be typed and change what is drawn; it is asked
    where something is found.
    """
    found = diagnose(Examined(seen, **more))
    if not found.findings:
        return found
    return diagnose(Examined(seen, cure=cure_for(seen, usable), **more))


def risk(given: Examined) -> float:
    """Return the worst place that any symptom gives, below 0 if there is no finding.

    It orders networks by how bad their worst figure is; `docs/diagnosis.md` holds it against
    training.
    """
    places = [place for symptom, seen in looks(given) for place, _ in symptom.readings(seen)]
    return max(places, default=-1.0)
