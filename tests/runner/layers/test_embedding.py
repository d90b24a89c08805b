"""Layer kinds of `runner.layers.embedding`: runs in both modes, and options that cannot be."""

from __future__ import annotations

import json

import pytest
from layer_cases import tensors

LANGUAGE = "model.layers=[{kind: embedding, name: words, input_dim: 20, output_dim: 6}, {kind: dense, name: head, units: 20, flatten: false}]"


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_a_model_of_tokens_is_probed_at_every_position(dtype, only_run):
    folder = only_run(
        LANGUAGE,
        "model.input=[7]",
        "init=normal",
        "data=tokens",
        "data.vocabulary=20",
        "probe=backward",
        f"dtype={dtype}",
    )
    assert tensors(folder)["words.weight"].shape == (20, 6)
    trace = json.loads((folder / "stats.json").read_text())
    assert trace["layers"][-1]["shape"] == [2, 7, 20]
    assert abs(trace["figures"]["loss"] - 2.9957) < 0.01
    rows = {row["path"]: row for row in json.loads((folder / "plan.json").read_text())["rows"]}
    assert (rows["words.weight"]["fan_in"], rows["words.weight"]["fan_out"]) == (1, 6)


def test_labels_that_do_not_fit_the_scores_are_refused(command):
    done = command(
        LANGUAGE.replace("flatten: false", "flatten: true"),
        "model.input=[7]",
        "data=tokens",
        "data.vocabulary=20",
        "probe=backward",
    )
    assert done.code == 2
    assert (
        "labels of shape (2, 7), for which scores have shape (2, 7, 20), but the network gives (2, 20)"
        in done.err
    )


def test_a_vocabulary_of_one_is_refused(command):
    done = command(LANGUAGE, "model.input=[7]", "data=tokens", "data.vocabulary=1")
    assert done.code == 2
    assert "data.vocabulary: must be a whole number of at least 2, got 1" in done.err
