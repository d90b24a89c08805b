"""Data that is not what the network takes is refused before anything runs."""

from __future__ import annotations

from pathlib import Path

import pytest

FRACTIONS = "data: uniform gives fractions, but layer "
TOKENS = "data: tokens gives token numbers, but layer "


@pytest.mark.parametrize("before", [(), ("-m",), ("task=plan",), ("dry_run=true",)])
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["model=mlp", "data=tokens", "data.vocabulary=100000"],
            f"{TOKENS}'0' (dense) takes fractions - write data=uniform, or choose a model that begins "
            "with an embedding",
        ),
        (["model=lenet", "data=tokens"], f"{TOKENS}'conv1' (conv2d) takes fractions"),
        (["model=residual_mlp", "data=tokens"], f"{TOKENS}"),
        (
            ["model=gpt2"],
            f"{FRACTIONS}'tokens' (embedding) takes token numbers - write data=tokens "
            "data.vocabulary=50257",
        ),
        (["model=lstm_lm"], f"{FRACTIONS}'embed' (embedding) takes token numbers - write data=tok"),
        (["model=lstm_lm", "probe=none", "measure=[layers]"], f"{FRACTIONS}'embed'"),
        (
            ["model=gpt2", "data=tokens", "data.vocabulary=60000"],
            "data: tokens has token numbers up to 59999, but layer 'tokens' has 50257 rows - write "
            "data.vocabulary=50257, or give the layer input_dim: 60000",
        ),
        (
            ["model=lstm_lm", "data=text", "model.layers.0.input_dim=255"],
            "data: text has token numbers up to 255, but layer 'embed' has 255 rows - give the layer",
        ),
    ],
)
def test_data_that_does_not_fit_the_network_is_one_error(command, words, said, before):
    done = command(*before, *words)
    assert done.code == 2
    assert [line for line in done.err.splitlines() if said in line], done.err
    assert len(done.err.splitlines()) == 1, done.err
    assert not Path("outputs").exists() or not list(Path("outputs").rglob("manifest.json"))


@pytest.mark.parametrize(
    "words",
    [
        ["model=gpt2", "data=tokens", "data.vocabulary=50257"],
        ["model=gpt2", "data=tokens"],
        ["model=lstm_lm", "data=text"],
        ["model=gpt2", "probe=none"],
        ["model.layers=[{kind: flatten}]", "data=tokens"],
    ],
)
def test_data_that_fits_or_is_not_used_is_no_mistake(command, words):
    done = command("task=plan", *words)
    assert (done.code, done.err) == (0, "")
