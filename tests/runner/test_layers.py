"""Layer kinds of a config: convolutional networks run in both modes, and their options are checked like any other."""

from __future__ import annotations

import json

import pytest

from engine import formats

CONVOLUTIONAL = (
    "model.layers=[{kind: conv2d, name: c, channels: 4, kernel_size: [3, 3], padding: 1, groups: 2, activation: relu}, {kind: batch_norm, name: n}, "
    "{kind: avg_pool2d, name: p}, {kind: residual, name: r, layers: [{kind: conv2d, name: x, channels: 4, kernel_size: 1}]}, "
    "{kind: global_avg_pool2d, name: g}, {kind: flatten, name: f}, {kind: dense, name: d, units: 10}]"
)
WORDS = [CONVOLUTIONAL, "model.input=[2,8,8]", "init=he", "data=normal", "data.batch=8"]


def tensors(folder):
    return formats.get("safetensors").read(folder / "snapshot.safetensors").tensors


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_a_convolutional_network_has_the_same_values_in_both_modes(dtype, only_run):
    deferred, eager = (only_run(*WORDS, f"dtype={dtype}", f"init_mode={mode}", "probe=backward") for mode in ("deferred", "eager"))
    assert {k: v.tobytes() for k, v in tensors(deferred).items()} == {k: v.tobytes() for k, v in tensors(eager).items()}
    assert set(tensors(eager)) == {
        "c.weight", "c.bias", "n.gamma", "n.beta", "n.running_mean", "n.running_var", "r.x.weight", "r.x.bias", "d.weight", "d.bias",
    }  # fmt: skip


def test_first_values_are_kept_though_training_moves_running_statistics(only_run):
    values = tensors(only_run(*WORDS, "probe=backward"))
    assert values["n.running_mean"].tolist() == [0] * 4
    assert values["n.running_var"].tolist() == [1] * 4


def test_the_plan_takes_fans_from_one_group_and_shows_where_the_shape_says_otherwise(only_run):
    rows = {row["path"]: row for row in json.loads((only_run(*WORDS) / "plan.json").read_text())["rows"]}
    assert (rows["c.weight"]["fan_in"], rows["c.weight"]["fan_out"]) == (9, 18)
    assert rows["c.weight"]["shape_fans"] == [9, 36]
    assert rows["n.gamma"]["rule"] == "batch_norm's default"


def test_a_rule_that_names_a_layers_default_is_used(only_run):
    rules = "init.rules=[{match: '.*gamma', init: {kind: constant, value: 0.5}}, {match: '.*weight', init: {kind: he}}]"
    folder = only_run(*WORDS[:2], "init=mixed", rules)
    assert tensors(folder)["n.gamma"].tolist() == [0.5] * 4
    assert tensors(folder)["n.beta"].tolist() == [0] * 4


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        ("{kind: conv2d, channels: 4}", "model.layers[0].kernel_size: is missing - conv2d needs it"),
        (
            "{kind: conv2d, channels: 4, kernel_size: 0}",
            "model.layers[0].kernel_size: must be a whole number of at least 1, or two of them, got 0",
        ),
        ("{kind: conv2d, channels: 4, kernel_size: [3, 3, 3]}", "model.layers[0].kernel_size: must be a whole number of at least 1"),
        ("{kind: conv2d, channels: 5, kernel_size: 3, groups: 2}", "model.layers[0].groups: must divide channels (5), got 2"),
        (
            "{kind: conv2d, channels: 5, kernel_size: 9}",
            "model.layers[0]: layer '0' cannot take its input: kernel (9, 9) exceeds the input (8, 8)",
        ),
        ("{kind: max_pool2d, pool_size: x}", "model.layers[0].pool_size: must be a whole number"),
        ("{kind: batch_norm, momentum: 2}", "model.layers[0].momentum: must lie in [0, 1], got 2"),
        ("{kind: conv2, channels: 5}", "no layer kind 'conv2' - did you mean 'conv2d'?"),
    ],
)
def test_an_impossible_convolution_is_refused(layer, message, command):
    done = command(f"model.layers=[{layer}]", "model.input=[2,8,8]")
    assert done.code == 2
    assert message in done.err
    assert len(done.err.splitlines()) == 1


LANGUAGE = (
    "model.layers=[{kind: embedding, name: words, input_dim: 20, output_dim: 6}, {kind: dense, name: head, units: 20, flatten: false}]"
)


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_a_model_of_tokens_is_probed_at_every_position(dtype, only_run):
    folder = only_run(LANGUAGE, "model.input=[7]", "init=normal", "data=tokens", "data.vocabulary=20", "probe=backward", f"dtype={dtype}")
    assert tensors(folder)["words.weight"].shape == (20, 6)
    trace = json.loads((folder / "stats.json").read_text())
    assert trace["layers"][-1]["shape"] == [2, 7, 20]
    assert abs(trace["figures"]["loss"] - 2.9957) < 0.01
    rows = {row["path"]: row for row in json.loads((folder / "plan.json").read_text())["rows"]}
    assert (rows["words.weight"]["fan_in"], rows["words.weight"]["fan_out"]) == (1, 6)


def test_labels_that_do_not_fit_the_scores_are_refused(command):
    done = command(
        LANGUAGE.replace("flatten: false", "flatten: true"), "model.input=[7]", "data=tokens", "data.vocabulary=20", "probe=backward"
    )
    assert done.code == 2
    assert "labels of shape (2, 7), for which scores have shape (2, 7, 20), but the network gives (2, 20)" in done.err


def test_a_vocabulary_of_one_is_refused(command):
    done = command(LANGUAGE, "model.input=[7]", "data=tokens", "data.vocabulary=1")
    assert done.code == 2
    assert "data.vocabulary: must be a whole number of at least 2, got 1" in done.err
