"""What enters the network, and what is not said of the network because of it."""

from __future__ import annotations

import numpy as np
import pytest
from observed import chain, inputs, subject_of

from initlab.engine import init, nd
from initlab.engine.gluon import nn
from initlab.runner.diagnosis.diagnose import diagnosis_of, risk
from initlab.runner.observation.passes import observe
from initlab.runner.symptoms import Examined

X = inputs(32, 20)


def findings(net, x, dtype="float32"):
    net(nd.zeros(x.shape, dtype="int32" if x.dtype.kind in "iu" else dtype))
    seen = observe(subject_of(net, x, np.arange(len(x)) % 10, dtype))
    return {one.id: one for one in diagnosis_of(seen).findings}


def normalized(depth=4):
    net = nn.HybridSequential()
    for _ in range(depth):
        net.add(nn.Dense(64), nn.BatchNorm(), nn.Activation("relu"))
    net.add(nn.Dense(10))
    net.initialize(init.create("he"))
    return net


@pytest.mark.parametrize(
    "x, said",
    [
        (0 * X, "every value of 32 samples is 0"),
        (0 * X + 1, "all 32 samples are equal"),
        (np.repeat(X[:1], 32, 0), "all 32 samples are equal"),
    ],
)
def test_an_input_that_carries_nothing_is_the_only_fatal_thing_that_is_said(x, said):
    found = findings(chain(6, "relu", "he"), x)
    assert list(found) == ["input-says-nothing"]
    one = found["input-says-nothing"]
    assert (one.severity, one.where, one.measured) == ("fatal", "the input", said)
    assert one.instead == ()


def test_what_is_wrong_by_form_alone_is_said_besides():
    assert set(findings(chain(30, "relu", "he", width=8), 0 * X)) == {
        "input-says-nothing",
        "plain-depth",
    }


def test_equal_token_numbers_carry_nothing_either():
    net = nn.HybridSequential()
    net.add(nn.Embedding(9, 8), nn.Flatten(), nn.Dense(10))
    net.initialize(init.create("he"))
    assert list(findings(net, np.full((32, 5), 3))) == ["input-says-nothing"]
    assert not findings(net, np.arange(160).reshape(32, 5) % 9)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_value_that_is_no_number_names_the_input_and_nothing_else(value):
    x = X.copy()
    x[3, 4] = value
    assert list(findings(chain(3, "relu", "he"), x)) == ["input-not-finite"]


def test_values_beyond_the_dtype_name_the_input():
    net = chain(2, "relu", "he")
    net.cast("float16")
    found = findings(net, X * 1e6, "float16")
    assert list(found) == ["input-not-finite"] and "float16" in found["input-not-finite"].measured


@pytest.mark.parametrize("activation, size", [("relu", 1e6), ("tanh", 1e6), ("relu", 1e-6)])
def test_an_input_of_enormous_or_tiny_size_is_named_and_the_network_is_judged_without_it(
    activation, size
):
    found = findings(chain(6, activation, "he"), X * size)
    assert found["input-size"].severity == "harmful" and found["input-size"].where == "the input"
    at_one = findings(chain(6, activation, "he"), X)
    assert set(found) - {"input-size"} == set(at_one)
    wrong = findings(chain(6, activation, init.Normal(0.01)), X * size)
    assert {"input-size", "signal-vanishes"} & set(wrong) >= {"signal-vanishes"}


@pytest.mark.parametrize("size", [1e-3, 1e6])
def test_normalization_behind_the_first_layer_makes_any_size_of_input_right(size):
    assert not findings(normalized(), X * size)


def test_an_input_of_usual_size_is_observed_once():
    net = chain(2, "relu", "he")
    net(nd.array(X))
    assert not observe(subject_of(net, X)).usual
    assert len(observe(subject_of(net, X * 1e3)).usual) == 1


def test_one_sample_is_said_to_be_too_few_and_nothing_is_said_of_its_dead_units():
    found = findings(chain(6, "relu", "he", width=4), X[:1])
    assert found["single-sample"].severity == "odd"
    assert found["single-sample"].instead == ("data.batch=32",)
    assert "dead-units" not in found and "inputs-alike" not in found


@pytest.mark.parametrize(
    "batch, severity", [(1, "fatal"), (2, "harmful"), (4, "harmful"), (8, "odd")]
)
def test_batch_normalization_over_so_few_values_is_named_instead_of_what_it_causes(batch, severity):
    found = findings(normalized(), X[:batch])
    assert found["few-averaged"].severity == severity
    assert set(found) <= {"few-averaged", "single-sample"}
    assert "few-averaged" not in findings(normalized(), X[:16])


def test_the_risk_of_a_network_is_that_of_what_is_looked_at():
    net = chain(2, "relu", "he")
    net(nd.array(X))
    seen = observe(subject_of(net, 0 * X))
    assert risk(Examined(seen)) == diagnosis_of(seen).findings[0].place
