"""`initlab.diagnose`: networks made in Python."""

from __future__ import annotations

import numpy as np
import pytest
from observed import chain, inputs, made, seen_in

import initlab
from initlab.engine import init
from initlab.engine.gluon import nn
from initlab.runner.diagnosis.diagnose import diagnosis_of
from initlab.runner.errors import ConfigError

X = np.random.default_rng(0).normal(size=(32, 20)).astype(np.float32)
Y = np.arange(32) % 10


def deep(initializer, activation="relu", depth=14):
    net = nn.HybridSequential()
    net.add(*[nn.Dense(64, activation=activation) for _ in range(depth)], nn.Dense(10))
    net.initialize(initializer)
    return net


def test_fourteen_layers_of_small_weights_are_fatal_and_the_cure_that_is_said_cures():
    found = initlab.diagnose(deep(init.Normal(0.01)), X, Y)
    assert found.severity == "fatal"
    assert {"signal-vanishes", "gradient-vanishes"} <= {one.id for one in found.findings}
    assert found.findings[0].instead == ("net.initialize(init.create('he'), force_reinit=True)",)
    assert initlab.diagnose(deep(init.create("he")), X, Y).severity in (None, "odd")


def test_what_was_looked_at_is_said_where_nothing_is_found():
    found = initlab.diagnose(deep(init.create("he"), depth=2), X, Y)
    assert found.headline == "nothing found that is known to hurt"
    assert len(found.looked_at) > 10


def test_labels_may_be_left_out_and_then_follow_from_the_seed():
    a, b = (initlab.diagnose(deep(init.Normal(3.0)), X, seed=3) for _ in range(2))
    assert a.findings[0].id == b.findings[0].id


@pytest.mark.parametrize(
    "inputs, labels, said",
    [
        (X, Y[:5], "labels: must be whole numbers, one for each of 32 samples"),
        (X, Y + 0.5, "labels: must be whole numbers"),
        (X, Y + 5, "labels: must lie in 0 to 9"),
        (X, np.stack([Y, Y], 1), "labels: must have shape"),
        (np.float32(3), None, "inputs: must be a batch"),
        (X[:0], None, "inputs: must be a batch of at least one sample"),
        (np.array(["a"]), None, "inputs: must be an array of numbers"),
    ],
)
def test_wrong_inputs_and_labels_are_refused(inputs, labels, said):
    with pytest.raises(ConfigError, match=said):
        initlab.diagnose(deep("he"), inputs, labels)


def test_only_a_block_can_be_diagnosed():
    with pytest.raises(TypeError, match="net must be a Block"):
        initlab.diagnose(lambda x: x, X)


def test_a_network_that_was_not_initialized_is_refused():
    net = nn.Dense(3, in_units=20)
    with pytest.raises(RuntimeError, match="has not been initialized"):
        initlab.diagnose(net, X)


@pytest.mark.parametrize(
    ("given", "labels", "said"),
    [
        ([[1.0], [1.0, 2.0]], None, "inputs: must be an array"),
        (np.full((2, 20), np.nan), None, "inputs: must be finite"),
        (inputs(4, 20), 3, "labels: must be whole numbers"),
        (inputs(4, 20), [[0], [1], [0], [1]], r"labels: must have shape \(4,\)"),
    ],
)
def test_inputs_and_labels_of_another_form_are_refused(given, labels, said):
    net = made(nn.Dense(3), batch=inputs(2, 20))
    with pytest.raises(ConfigError, match=said):
        initlab.diagnose(net, given, labels)


def test_labels_for_a_single_output_are_refused():
    net = made(nn.Dense(1), batch=inputs(2, 20))
    with pytest.raises(ConfigError, match="labels: need scores of at least two classes"):
        initlab.diagnose(net, inputs(2, 20), [0, 0])


def tokens_net():
    net = nn.HybridSequential()
    net.add(nn.Embedding(50, 32), nn.Flatten(), nn.Dense(32, activation="relu"), nn.Dense(10))
    net.initialize(init.create("he"))
    return net


def test_token_numbers_may_be_floats_like_those_of_mxnet():
    x = np.random.default_rng(0).integers(0, 50, (32, 8))
    whole, floats = (initlab.diagnose(tokens_net(), a, Y) for a in (x, x.astype(np.float32)))
    assert whole == floats and whole.severity is None


@pytest.mark.parametrize("moved", [0.5, 50, -50])
def test_what_is_no_row_of_a_table_is_refused(moved):
    x = np.random.default_rng(0).integers(0, 50, (32, 8)) + moved
    with pytest.raises(ConfigError, match="inputs: must be token numbers, whole from 0 to 49"):
        initlab.diagnose(tokens_net(), x, Y)


def test_whole_numbers_that_are_no_token_numbers_have_a_size():
    pixels = np.random.default_rng(0).integers(0, 255, (32, 20)).astype(np.uint8)
    found = initlab.diagnose(deep(init.create("he"), depth=2), pixels, Y)
    assert [one.id for one in found.findings] == ["input-size"]


def test_more_samples_are_asked_for_in_words_of_python():
    found = initlab.diagnose(deep(init.create("he"), depth=2), X[:1], Y[:1])
    (one,) = (one for one in found.findings if one.id == "single-sample")
    assert one.instead[0].startswith("initlab.diagnose(net, inputs)")


class Shortcut(nn.HybridSequential):
    """A block that does not say how its layers follow each other."""

    def hybrid_forward(self, F, x):
        return x + super().hybrid_forward(F, x)


def test_what_is_advised_can_be_typed_and_is_said_once():
    """Fixup refuses a network whose branches it does not know, so it is not advised."""
    net = nn.HybridSequential()
    net.add(nn.Dense(20))
    for _ in range(12):
        block = Shortcut()
        block.add(nn.Dense(20, activation="relu"), nn.Dense(20))
        net.add(block)
    net.add(nn.Dense(10))
    net.initialize(init.Normal(1.0))
    found = initlab.diagnose(net, X, Y)
    advice = "net.initialize(init.create('he'), force_reinit=True)"
    assert {one.instead for one in found.findings} == {(advice,)}
    assert repr(found).count("instead:") == 1
    net.initialize(init.create("he"), force_reinit=True)
    (advice,) = {one.instead for one in initlab.diagnose(net, X, Y).findings}
    assert advice == ("smaller branches: what each of 12 blocks adds, times 0.29",)


def test_heavy_biases_are_named_as_the_cause_before_what_follows_from_them():
    net = nn.HybridSequential()
    low = init.Constant(-10)
    net.add(nn.Dense(64, activation="relu", bias_initializer=low), nn.Dense(10))
    net.initialize(init.create("he"))
    found = initlab.diagnose(net, X, Y)
    assert found.findings[0].id == "dead-units"
    assert {one.instead for one in found.findings} == {
        ("a bias_initializer of zeros: 0.bias outweighs what enters",)
    }


def test_where_no_initializer_helps_it_says_what_is_left():
    found = diagnosis_of(seen_in(chain(14, "relu", init.Normal(0.01))), lambda words: False)
    assert all(one.instead[0].startswith("fewer blocks, or a shortcut") for one in found.findings)


def test_measurements_that_are_named_are_made_and_read():
    found = initlab.diagnose(
        deep(init.Constant(0.05)), np.abs(X), Y, measure=["spectrum", "jacobian"]
    )
    assert {"one-direction", "ill-conditioned-jacobian"} <= {one.id for one in found.findings}
    assert "one-direction" not in {one.id for one in initlab.diagnose(deep("he"), X, Y).findings}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("jacobain", "did you mean 'jacobian'"),
        ("cosine", "is no measurement that a diagnosis reads"),
    ],
)
def test_a_measurement_that_no_finding_reads_is_refused(name, said):
    with pytest.raises(ConfigError, match=said):
        initlab.diagnose(deep("he"), X, Y, measure=[name])


def test_the_derivative_by_token_numbers_is_refused():
    net = made(nn.Embedding(20, 8), nn.Dense(5))
    with pytest.raises(ConfigError, match="measure: jacobian: there is no derivative"):
        initlab.diagnose(net, np.arange(20).reshape(5, 4) % 20, measure="jacobian")
