"""Training in a run: what it learns, what it leaves, and what cannot be trained."""

from __future__ import annotations

import json

import numpy as np
import pytest

from initlab.engine import optimizer
from initlab.runner.probes.train import Train

DIGITS = ["data=digits", "model.input=[64]", "probe=train", "init=xavier"]


def stats_of(folder):
    return json.loads((folder / "stats.json").read_text())


@pytest.mark.slow
def test_lenet_learns_to_name_97_of_100_digits_it_never_saw(only_run):
    figures = stats_of(only_run("experiment=digits_lenet"))["figures"]
    assert figures["test_accuracy"] >= 0.97
    assert figures["train_accuracy"] >= 0.99


def test_each_epoch_leaves_a_row_and_the_last_is_the_figures(only_run):
    content = stats_of(only_run(*DIGITS, "probe.epochs=3"))
    rows, figures = content["training"], content["figures"]
    assert [row["epoch"] for row in rows] == [1, 2, 3]
    assert set(rows[0]) == {
        "epoch",
        "loss",
        "accuracy",
        "gradient_norm",
        "update_ratio",
        "test_accuracy",
    }
    assert rows[2]["loss"] < rows[0]["loss"] < 2.5
    assert (figures["loss"], figures["test_accuracy"]) == (
        rows[2]["loss"],
        rows[2]["test_accuracy"],
    )
    assert 0 < rows[0]["update_ratio"] < 0.2


def test_training_comes_after_the_snapshot(only_run):
    roots = [
        json.loads((only_run(*DIGITS[:2], "init=xavier", *probe) / "manifest.json").read_text())[
            "digests"
        ]["root"]
        for probe in (["probe=none"], ["probe=train", "probe.epochs=1"])
    ]
    assert roots[0] == roots[1]


def test_the_order_of_samples_is_a_function_of_seed_and_epoch():
    probe = Train(batch=4)
    epochs = {
        (seed, epoch): list(probe._minibatches(seed, epoch, 10))
        for seed in (0, 1)
        for epoch in (0, 1)
    }
    for batches in epochs.values():
        assert [last for last, _ in batches] == [False, False, True]
        assert sorted(np.concatenate([rows for _, rows in batches])) == list(range(10))
    orders = {tuple(np.concatenate([rows for _, rows in batches])) for batches in epochs.values()}
    assert len(orders) == 4
    assert np.array_equal(epochs[0, 1][0][1], next(iter(probe._minibatches(0, 1, 10)))[1])


NOISY = {"sgld"}
"""Its steps are drawn, and may go up."""


@pytest.mark.parametrize("name", sorted(optimizer.REGISTRY.entries().keys() - NOISY))
def test_every_optimizer_lowers_the_loss(name, only_run):
    rows = stats_of(
        only_run(*DIGITS, "probe.epochs=3", f"probe.optimizer={name}", "probe.learning_rate=0.01")
    )["training"]
    assert rows[2]["loss"] < rows[0]["loss"]


def test_data_without_a_test_part_is_trained_on_its_one_batch(only_run):
    language = "model.layers=[{kind: embedding, name: e, input_dim: 9, output_dim: 8}, {kind: dense, name: d, units: 9, flatten: false}]"
    words = [
        "data=tokens",
        "data.vocabulary=9",
        "model.input=[5]",
        "probe=train",
        "probe.optimizer=adam",
        "probe.epochs=40",
        "init=normal",
    ]
    content = stats_of(only_run(language, *words))
    assert "test_accuracy" not in content["figures"]
    assert content["training"][0]["test_accuracy"] is None
    assert content["training"][-1]["accuracy"] > content["training"][0]["accuracy"]


def test_a_network_without_parameters_is_judged_as_it_is(only_run):
    content = stats_of(
        only_run(
            "data=digits",
            "probe=train",
            "probe.epochs=1",
            "model.input=[64]",
            "model.layers=[{kind: flatten}]",
        )
    )
    assert content["training"][0]["gradient_norm"] is None
    assert content["figures"]["loss"] > 1


def test_training_runs_in_half_precision_too(only_run):
    rows = stats_of(only_run(*DIGITS, "dtype=float16", "probe.epochs=2"))["training"]
    assert rows[1]["loss"] < rows[0]["loss"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["probe.epochs=0"], "probe.epochs: must be a whole number of at least 1, got 0"),
        (["probe.batch=-1"], "probe.batch: must be a whole number of at least 1, got -1"),
        (["probe.optimizer=adm"], "probe.optimizer: cannot be 'adm' - did you mean 'adam'?"),
        (
            ["probe.optimizer=adam", "probe.momentum=0.9"],
            "probe.momentum: is no option of adam - set it to null, or use wd, beta1, beta2",
        ),
        (
            ["probe.learning_rate=-1"],
            "probe.learning_rate: must be a number of at least 0, got -1.0",
        ),
        (
            ["probe.learning_rate=nan"],
            "probe.learning_rate: must be a number of at least 0, got nan",
        ),
        (["probe.learning_rate=null"], "probe.learning_rate"),
        (["data=uniform"], "probe: train needs data with labels, like digits"),
        (
            ["model.layers=[{kind: dense, units: 1}]"],
            "probe: train needs an output of shape (batch, classes)",
        ),
        (
            ["model.layers=[{kind: dense, units: 4}]"],
            "probe: the data has 10 classes, but the network gives 4 scores a sample",
        ),
    ],
)
def test_what_cannot_be_trained_is_refused(words, said, command, tmp_path):
    done = command(*DIGITS, *words)
    assert (done.code, said in done.err) == (2, True), done.err
    assert not (tmp_path / "outputs").exists()
