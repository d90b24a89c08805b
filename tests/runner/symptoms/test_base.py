"""Symptoms as an open set, and findings from their readings."""

from __future__ import annotations

import pytest
from observed import chain, seen_in

from initlab.runner.diagnosis.diagnose import diagnose
from initlab.runner.symptoms import REGISTRY, Examined, Reading, Symptom, register
from initlab.runner.symptoms.base import slope
from initlab.runner.symptoms.scale import Scale


@pytest.fixture
def mine():
    @register
    class Mine(Symptom):
        id = "mine"
        title = "my own figure"
        why = "It hurts."
        source = "a note"
        scale = Scale(1.0, 2.0, 4.0)

        def look(self, given):
            yield Reading("here", 3.0, "three", "one")
            yield Reading("there", 5.0, "five", "one", instead=("init=mine",))
            yield Reading("nowhere", 0.1, "little", "one")

    yield Mine
    REGISTRY.remove("mine")


def test_a_symptom_of_ones_own_is_looked_for_and_its_worst_reading_is_the_finding(mine):
    found = diagnose(Examined(seen_in(chain(2, "relu", "he")), cure=("init=he",)))
    (finding,) = found.findings
    assert (finding.id, finding.where, finding.severity) == ("mine", "there", "fatal")
    assert finding.measured == "five (1 more like it)"
    assert finding.instead == ("init=mine",)
    assert "my own figure" in found.looked_at


@pytest.mark.parametrize("name", sorted(REGISTRY))
def test_every_symptom_says_why_it_matters_and_who_says_so(name):
    symptom = REGISTRY.get(name)()
    assert symptom.id == name and symptom.title
    assert symptom.why.endswith(".") and symptom.source


def test_the_slope_is_the_factor_of_each_stage():
    stages = seen_in(chain(4, "relu", "he")).trunk
    assert slope(stages[:4], [1.0, 2.0, 4.0, 8.0]) == pytest.approx(2)
    assert slope(stages[:4], [1.0, None, 4.0, 8.0]) == pytest.approx(2)
    assert slope(stages[:4], [1.0, None, 0.0, 8.0]) is None
