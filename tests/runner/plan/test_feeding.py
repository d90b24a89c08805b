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


E = "{kind: embedding, name: e, input_dim: 100, output_dim: 4}"
D = "{kind: dense, name: d, units: 100, flatten: false}"
OURS = ("data=tokens", "data.vocabulary=100", "model.input=[5]")
LARGE = ("data=tokens", "data.vocabulary=101", "model.input=[5]")


@pytest.mark.parametrize("before", [(), ("task=plan",), ("init_mode=eager",), ("probe=backward",)])
@pytest.mark.parametrize(
    ("layers", "words", "said"),
    [
        (f"{E}, {D}", LARGE, "tokens has token numbers up to 100, but layer 'e' has 100 rows"),
        (
            f"{{kind: sequential, name: s, layers: [{{kind: flatten}}, {E}, {D}]}}",
            LARGE,
            "tokens has token numbers up to 100, but layer 's.e' has 100 rows",
        ),
        (
            f"{{kind: concurrent, name: c, axis: 2, layers: [{E}, {E.replace('e,', 'f,').replace('100', '50')}]}}, {D}",
            OURS,
            "tokens has token numbers up to 99, but layer 'c.f' has 50 rows",
        ),
        (
            f"{{kind: concurrent, name: c, axis: 2, layers: [{E}, {D}]}}",
            OURS,
            f"{TOKENS}'c.d' (dense) takes fractions",
        ),
        (
            f"{{kind: activation, name: a, activation: relu}}, {E}, {D}",
            OURS,
            f"{TOKENS}'a' (activation) takes fractions",
        ),
        (
            f"{E}, {D}, {E.replace('e,', 'f,')}",
            OURS,
            "model.layers.2: layer 'f' (embedding) takes token numbers, but layer 'd' (dense) before "
            "it gives fractions - an embedding comes first",
        ),
        (
            f"{{kind: repeat, name: r, times: 2, layers: [{E}]}}, {D}",
            OURS,
            "model.layers.0.layers.0: layer 'r.1.e' (embedding) takes token numbers, but layer "
            "'r.0.e' (embedding) before it gives fractions",
        ),
        (
            f"{E}, {D.replace('100', '50')}",
            OURS,
            "the network gives 50 scores a sample",
        ),
    ],
)
def test_what_enters_each_layer_is_followed_through_the_network(
    command, before, layers, words, said
):
    done = command(*words, f"model.layers=[{layers}]", *before)
    assert done.code == 2 and said in done.err, done.err
    assert len(done.err.splitlines()) == 1, done.err


@pytest.mark.parametrize("probe", ["forward", "backward", "train"])
def test_labels_beyond_the_outputs_are_refused_by_every_probe(command, probe):
    layers = "model.layers=[{kind: dense, units: 5}]"
    done = command(layers, "model.input=[64]", "data=digits", f"probe={probe}")
    assert done.code == 2, done.out
    assert "10 classes, but the network gives 5 scores a sample" in done.err


def test_an_output_that_is_no_score_of_a_class_is_none(command):
    layers = "model.layers=[{kind: dense, units: 1}]"
    assert command(layers, "model.input=[64]", "data=digits").code == 0


@pytest.mark.parametrize("measure", [[], ["measure=[spectrum]"]])
def test_values_that_depend_on_data_need_data_that_the_network_takes(command, measure):
    done = command("model=mlp", "data=tokens", "probe=none", "init=lsuv", *measure)
    assert done.code == 2 and f"{TOKENS}'0' (dense) takes fractions" in done.err


def test_a_lock_refuses_what_a_run_refuses(command, tmp_path):
    done = command("lock", "model=mlp", "data=tokens", "-o", str(tmp_path / "a.lock"))
    assert done.code == 2 and f"{TOKENS}'0' (dense) takes fractions" in done.err
    assert not (tmp_path / "a.lock").exists()


PLUGIN = """
from dataclasses import dataclass
from typing import ClassVar
import numpy as np
from runner.data import Batch, Data, register

@register
@dataclass
class Reviews(Data):
    whole_numbers: ClassVar[bool] = True
    largest: int = 99

    def load(self, shape, seed):
        inputs = np.zeros((self.batch, *shape), np.int64)
        inputs[-1, -1] = self.largest
        return Batch(inputs, None)
"""


@pytest.mark.parametrize("mode", ["eager", "deferred", "streamed"])
@pytest.mark.parametrize(
    ("largest", "said"),
    [
        (99, None),
        (100, "data: reviews has token numbers up to 100, but layer 'e' has 100 rows - give the"),
        (-1, "data: reviews has the token number -1, below 0"),
    ],
)
def test_token_numbers_of_a_plugin_are_looked_at(command, tmp_path, mode, largest, said):
    (tmp_path / "reviews.py").write_text(PLUGIN)
    words = ("--plugin", "reviews.py", "data=reviews", f"data.largest={largest}")
    done = command(*words, f"model.layers=[{E}, {D}]", "model.input=[5]", f"init_mode={mode}")
    assert (done.code == 0) is (said is None), done.err
    assert said is None or (done.code == 2 and said in done.err), done.err


@pytest.mark.parametrize(
    "words",
    [
        ["model=gpt2", "data=tokens", "data.vocabulary=50257"],
        ["model=gpt2", "probe=none", "measure=[spectrum]"],
        ["model=gpt2", "data=tokens"],
        ["model=lstm_lm", "data=text"],
        ["model=gpt2", "probe=none"],
        ["model.layers=[{kind: flatten}]", "data=tokens"],
    ],
)
def test_data_that_fits_or_is_not_used_is_no_mistake(command, words):
    done = command("task=plan", *words)
    assert (done.code, done.err) == (0, "")
