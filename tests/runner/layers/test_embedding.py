"""Layer kinds of `runner.layers.embedding`: runs in both modes, and options that cannot be."""

from __future__ import annotations

import json

import numpy as np
import pytest
from layer_cases import tensors

from initlab.engine import autograd, nd
from initlab.runner.declare import declare
from initlab.runner.run import stages

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


PADDED = LANGUAGE.replace("output_dim: 6", "output_dim: 6, padding_idx: %s")
TOKENS = ("model.input=[7]", "data=tokens", "data.vocabulary=20", "data.batch=64")


@pytest.mark.parametrize("given, row", [(3, 3), (-1, 19), (0, 0)])
@pytest.mark.parametrize("mode", ["deferred", "eager", "streamed"])
def test_the_padding_row_is_zero_and_all_others_are_as_without_it(given, row, mode, only_run):
    words = (*TOKENS, "init=normal", f"init_mode={mode}")
    plain, padded = only_run(LANGUAGE, *words), only_run(PADDED % given, *words)
    expected = tensors(plain)["words.weight"].copy()
    expected[row] = 0
    found = tensors(padded)["words.weight"]
    assert found.tobytes() == expected.tobytes() and np.abs(expected).sum() > 0
    rows = json.loads((padded / "stats.json").read_text())["parameters"]
    assert rows[0]["law"] == f"Normal(0, 0.01) with zeros in row {row}"
    assert rows[0]["verdict"] == "ok"


def test_the_padding_row_stays_zero_in_training_and_a_run_verifies(only_run, command):
    words = (PADDED % 3, *TOKENS, "init=normal", "probe=train")
    config = declare(*words).checked
    network, _ = stages.initialize(config)
    before = stages.host_values(network)["words.weight"]
    stages.probe(config, network)
    after = stages.host_values(network)["words.weight"]
    assert not after[3].any()
    assert [row for row in range(20) if (before[row] == after[row]).all()] == [3]
    assert command("verify", str(only_run(*words))).code == 0


def test_gradients_are_those_of_torch():
    torch = pytest.importorskip(
        "torch", reason="torch is not installed: pip install 'initlab[torch]'"
    )
    network, _ = stages.initialize(declare(PADDED % -2, *TOKENS, "init=normal").checked)
    ours = network.layers["words"]
    theirs = torch.nn.Embedding(20, 6, padding_idx=-2)
    values = np.random.default_rng(0).normal(size=(20, 6)).astype("float32")  # as after training
    ours.weight.set_data(nd.array(values))
    with torch.no_grad():
        theirs.weight.copy_(torch.from_numpy(values))
    x = np.array([[18, 3, 18, 0], [3, 3, 18, 19]])
    with autograd.record():
        y = ours(nd.array(x, dtype="int32"))
        (y * y).sum().backward()
    z = theirs(torch.from_numpy(x))
    (z * z).sum().backward()
    assert y.asnumpy().tobytes() == z.detach().numpy().tobytes()
    assert np.allclose(ours.weight.grad().asnumpy(), theirs.weight.grad.numpy(), rtol=1e-6)
    assert not ours.weight.grad().asnumpy()[18].any()


def test_a_tie_has_the_zero_row_whichever_member_comes_first(only_run):
    layers = (
        "model.layers=[{kind: dense, name: first, units: 6, in_units: 6, flatten: false}, "
        "{kind: embedding, name: words, input_dim: 6, output_dim: 6, padding_idx: 2}]"
    )
    folder = only_run(
        layers,
        "+model.share={tie: [words.weight, first.weight]}",
        "model.input=[7, 6]",
        "init=normal",
        "probe=none",
    )
    assert [i for i, row in enumerate(tensors(folder)["first.weight"]) if not row.any()] == [2]


def test_a_loaded_table_keeps_its_row(only_run):
    plain = only_run(LANGUAGE, *TOKENS, "init=normal")
    loaded = only_run(
        PADDED % 3, *TOKENS, "init=load", f"init.param={plain / 'snapshot.safetensors'}"
    )
    assert tensors(loaded)["words.weight"].tobytes() == tensors(plain)["words.weight"].tobytes()


def test_a_declaration_of_a_run_names_the_zero_row(only_run, command):
    words = (PADDED % 3, *TOKENS, "init=normal")
    assert command("plan", *words, "--write-spec", "spec.yaml").code == 0
    folder = only_run(*words)
    assert command("audit", str(folder), "--against", "spec.yaml").code == 0
    plain = only_run(LANGUAGE, *TOKENS, "init=normal")
    assert command("audit", str(plain), "--against", "spec.yaml").code == 1


@pytest.mark.parametrize("row", [20, -21])
def test_a_padding_row_that_the_table_lacks_is_refused(row, command):
    done = command(PADDED % row, *TOKENS, "init=normal")
    assert done.code == 2
    said = f"model.layers.0.padding_idx: must be a row of the table, from -20 to 19, got {row}"
    assert said in done.err
