"""The gradient on its way back."""

from __future__ import annotations

import pytest
from observed import chain, made, reading

from initlab.engine import gluon, init, nd
from initlab.engine.gluon import nn
from initlab.runner.declare import declare
from initlab.runner.symptoms import REGISTRY


@pytest.mark.parametrize(
    "symptom, initializer",
    [
        ("gradient-vanishes", init.Normal(0.01)),
        ("gradient-explodes", init.Normal(1.0)),
        ("stands-still", init.Normal(0.01)),
        ("overshoots", init.Normal(1.0)),
        ("no-gradient", init.Zero()),
    ],
)
def test_a_deep_network_with_wrong_weights_is_fatal_and_with_he_it_is_not(symptom, initializer):
    place, _ = reading(symptom, chain(8, "relu", initializer))
    assert place >= 2
    found = reading(symptom, chain(8, "relu", "he"))
    assert found is None or found[0] < 0.5


def test_a_head_of_zeros_hides_no_gradient_for_long():
    net = chain(3, "relu", "he")
    net(nd.zeros((1, 20)))
    net[3].weight.set_data(nd.zeros((10, 64)))
    assert reading("no-gradient", net) is None


def test_a_parameter_that_is_never_used_is_named():
    class Spare(gluon.Block):
        def __init__(self):
            super().__init__()
            self.body, self.spare = chain(1, "relu", "he"), nn.Dense(3, in_units=2)

        def forward(self, x):
            return self.body(x)

    net = Spare()
    net.spare.initialize()
    place, found = reading("no-gradient", net)
    assert found.where == "spare.weight" and "2 of 6 parameters are not used" in found.measured
    assert 0 <= place < 2


def test_a_layer_for_dropout_or_flattening_is_no_block():
    net = made(nn.Flatten(), nn.Dense(8, activation="relu"), nn.Dropout(0.5), nn.Dense(10))
    _, found = reading("gradient-vanishes", net) or (0, None)
    assert found is None


RATES = "init=he model=mlp data=digits model.input=[64] probe=train probe.steps=1"


@pytest.mark.parametrize(
    "words, severity",
    [("0.05", None), ("5", "harmful"), ("100", "fatal"), ("0.001 probe.optimizer=adam", None)],
)
def test_a_step_at_the_declared_rate_that_exceeds_the_weight_is_found(words, severity):
    declared = declare(*RATES.split(), *f"probe.learning_rate={words}".split())
    found = {one.id: one for one in declared.diagnose().findings}.get("update-too-large")
    assert (found.severity if found else None) == severity
    if found:
        (lower,) = found.instead
        again = declare(*RATES.split(), lower).diagnose()
        assert "update-too-large" not in {one.id for one in again.findings}


def test_without_a_declared_rate_nothing_is_said_of_it():
    assert reading("update-too-large", chain(2, "relu", "he")) is None


def test_what_is_expected_of_the_fastest_weight_is_the_end_of_the_scale_and_its_rate_is_explained():
    _, found = reading("stands-still", chain(2, "relu", init.Normal(0.01), classes=200))
    assert found.expected == "at least 0.03"
    assert "in a step of learning rate 20, a tenth of the classes" in found.measured
    _, found = reading("stands-still", chain(2, "relu", init.Normal(0.01)))
    assert found.measured.endswith("in a step of learning rate 1")


@pytest.mark.parametrize("symptom", ["stands-still", "overshoots"])
def test_the_title_names_the_rate_that_the_finding_names(symptom):
    assert "a step of learning rate 1" in REGISTRY.get(symptom).title
