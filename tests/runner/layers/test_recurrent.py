"""Recurrent models and text: both modes give the same values, probes run on them, and the text is
part of a run's id.
"""

from __future__ import annotations

import json

import numpy as np
import pytest

from initlab.engine import formats
from initlab.runner.check.verify import verify

SMALL = (
    "model.layers=[{kind: embedding, name: e, input_dim: 256, output_dim: 4}, {kind: KIND, name: r, hidden_size: 3, num_layers: 2, "
    "bidirectional: true, dropout: 0.1}, {kind: last_step, name: l}, {kind: dense, name: d, units: 2}]"
)


def tensors(folder):
    return formats.get("safetensors").read(folder / "snapshot.safetensors").tensors


@pytest.mark.parametrize("kind", ["rnn", "lstm", "gru"])
def test_a_recurrent_network_has_the_same_values_in_both_modes(kind, only_run):
    words = [SMALL.replace("KIND", kind), "model.input=[5]", "data=tokens", "init=xavier"]
    deferred, eager = (
        tensors(only_run(*words, f"init_mode={mode}")) for mode in ("deferred", "eager")
    )
    assert {k: v.tobytes() for k, v in deferred.items()} == {
        k: v.tobytes() for k, v in eager.items()
    }
    gates = {"rnn": 1, "lstm": 4, "gru": 3}[kind]
    assert eager["r.l0_i2h_weight"].shape == (3 * gates, 4)
    assert eager["r.r1_i2h_weight"].shape == (3 * gates, 6)
    assert not eager["r.l0_i2h_bias"].any()


@pytest.mark.parametrize("mode", ["deferred", "eager"])
def test_the_language_model_stands_at_the_loss_of_a_guess_and_is_verified(mode, only_run):
    folder = only_run(
        "model=lstm_lm", "data=text", "init=lm_uniform", "probe=backward", f"init_mode={mode}"
    )
    content = json.loads((folder / "stats.json").read_text())
    assert content["figures"]["loss"] == pytest.approx(np.log(256), abs=0.01)
    assert [row["shape"] for row in content["layers"]] == [[8, 35, 64], [8, 35, 128], [8, 35, 256]]
    assert verify(folder).code == 0
    rows = {row["path"]: row for row in json.loads((folder / "plan.json").read_text())["rows"]}
    assert (rows["lstm.l0_i2h_weight"]["fan_in"], rows["lstm.l0_i2h_weight"]["fan_out"]) == (
        64,
        128,
    )
    assert rows["lstm.l0_i2h_bias"]["rule"] == "lstm's default"


def test_the_language_model_learns_text(only_run):
    model = "model.layers=[{kind: embedding, name: e, input_dim: 256, output_dim: 16}, {kind: gru, name: r, hidden_size: 24}, {kind: dense, name: h, units: 256, flatten: false}]"
    words = [
        model,
        "model.input=[16]",
        "data=text",
        "init=xavier",
        "probe=train",
        "probe.optimizer=adam",
        "probe.learning_rate=0.01",
        "probe.epochs=1",
    ]
    figures = json.loads((only_run(*words) / "stats.json").read_text())["figures"]
    assert figures["loss"] < 3.8
    assert figures["test_accuracy"] > 0.15


def test_an_option_goes_to_all_layers_and_a_rule_to_those_it_names(only_run):
    layer = SMALL.replace("KIND", "lstm").replace(
        "dropout: 0.1", "i2h_bias_initializer: {kind: lstm_bias, forget_bias: 2.0}"
    )
    values = tensors(only_run(layer, "model.input=[5]", "data=tokens"))
    assert (
        values["r.l0_i2h_bias"].tolist()
        == values["r.r1_i2h_bias"].tolist()
        == [0] * 3 + [2] * 3 + [0] * 6
    )
    rules = "init.rules=[{match: 'r\\.l1_h2h_bias', init: {kind: constant, value: 0.5}}, {match: '.*_?weight', init: {kind: xavier}}]"
    values = tensors(
        only_run(
            SMALL.replace("KIND", "gru"), "model.input=[5]", "data=tokens", "init=mixed", rules
        )
    )
    assert values["r.l1_h2h_bias"].tolist() == [0.5] * 9
    assert not values["r.l0_h2h_bias"].any()


def test_recurrent_layers_can_share(only_run):
    two = (
        "model.layers=[{kind: gru, name: a, hidden_size: 3}, {kind: gru, name: b, hidden_size: 3}]"
    )
    values = tensors(only_run(two, "model.input=[4,3]", "+model.share.both=[a,b]"))
    assert set(values) == {"a.l0_i2h_weight", "a.l0_h2h_weight", "a.l0_i2h_bias", "a.l0_h2h_bias"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["model.layers=[{kind: lstm, hidden_size: 0}]"],
            "model.layers.0.hidden_size: must be a whole number of at least 1, got 0",
        ),
        (
            ["model.layers=[{kind: gru, hidden_size: 2, dropout: 1}]"],
            "model.layers.0.dropout: must lie in [0, 1), got 1",
        ),
        (
            ["model.layers=[{kind: rnn, hidden_size: 2, activation: tan}]"],
            "model.layers.0.activation: cannot be 'tan' - did you mean 'tanh'?",
        ),
        (
            ["model.layers=[{kind: lstm, hidden_size: 2, h2r_weight_initializer: one}]"],
            "is given, but there is no projection_size",
        ),
        (
            ["model.layers=[{kind: lstm, hidden_size: 2}]", "model.input=[4]"],
            "LSTM needs an input of 3 axes, NTC, got (2, 4)",
        ),
        (["model=lstm_lm", "data=text", "model.input=[3,4]"], "text gives windows of one length"),
        (
            ["init=mixed", "init.rules=[{match: '.*', init: one, optional: 3}]"],
            "init.rules.0.optional: must be true or false, got 3",
        ),
    ],
)
def test_invalid_arguments_are_refused(words, said, command):
    done = command(*words)
    assert (done.code, said in done.err) == (2, True), done.err


def test_an_optional_rule_may_fit_nothing(only_run, command):
    rules = (
        "init.rules=[{match: '.*none', init: one, optional: OPTIONAL}, {match: '.*', init: one}]"
    )
    assert tensors(only_run("init=mixed", rules.replace("OPTIONAL", "true")))["0.bias"].all()
    assert command("init=mixed", rules.replace("OPTIONAL", "false")).code == 2
