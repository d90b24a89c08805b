"""Layers are measured as a first training step sees them, unless another mode is chosen."""

from __future__ import annotations

import numpy as np
import pytest
from measured import subject

from initlab.runner.declare import declare
from initlab.runner.evidence.folder import RunFolder

AVERAGED = (
    "model.input=[6]",
    "model.layers=[{kind: dense, name: a, units: 5}, {kind: batch_norm, name: bn}, {kind: dense, name: b, units: 4}]",
    "init=normal",
    "init.sigma=1",
    "data=normal",
    "data.batch=16",
)
DROPPED = (
    "model.input=[6]",
    "model.layers=[{kind: dense, name: a, units: 50}, {kind: dropout, name: drop, rate: 0.5}, {kind: dense, name: b, units: 4}]",
    "init=normal",
    "init.sigma=1",
    "data=normal",
    "data.batch=64",
)


def rows_of(only_run, *words: str) -> dict[str, dict]:
    return {row["path"]: row for row in RunFolder(only_run(*words)).stats.layers}


@pytest.mark.parametrize(
    "probe", [("probe=forward",), ("probe=backward",), ("probe=none", "measure=[layers]")]
)
def test_batch_normalization_normalizes_by_the_batch(probe, only_run):
    rows = rows_of(only_run, *AVERAGED, *probe)
    assert rows["bn"]["variance"] == pytest.approx(1, rel=0.02)


@pytest.mark.parametrize(
    "probe", [("probe=forward",), ("probe=backward",), ("probe=none", "measure=[layers]")]
)
def test_in_predict_mode_an_untrained_batch_normalization_does_nothing(probe, only_run):
    rows = rows_of(only_run, *AVERAGED, *probe, "probe.mode=predict")
    assert rows["bn"]["rms"] == pytest.approx(rows["a"]["rms"], rel=1e-4)


@pytest.mark.parametrize("probe", ["probe=forward", "probe=backward"])
@pytest.mark.parametrize(("word", "zeros"), [("false", 0.0), ("true", 0.5)])
def test_dropout_is_off_unless_asked_for(probe, word, zeros, only_run):
    rows = rows_of(only_run, *DROPPED, probe, f"probe.dropout={word}")
    assert rows["drop"]["zeros"] == pytest.approx(zeros, abs=0.05)


def test_the_mode_is_said_in_the_table_and_in_the_statistics(command, tmp_path):
    done = command(*AVERAGED, "probe=forward", "name=one")
    assert "layers in train mode: statistics of the batch, no dropout" in done.out
    done = command(*AVERAGED, "probe=forward", "probe.mode=predict", "name=two")
    assert "layers in predict mode: running statistics, no dropout" in done.out
    [one], [two] = ((tmp_path / "outputs" / name).iterdir() for name in ("one", "two"))
    assert (RunFolder(one).stats.mode, RunFolder(two).stats.mode) == ("train", "predict")


@pytest.mark.parametrize("probe", ["probe=none", "probe=train"])
def test_where_no_layer_is_measured_there_is_no_mode(probe, only_run):
    words = "data=digits", "model.input=[64]", "probe.judged=8" if "train" in probe else "seed=0"
    steps = ["probe.steps=1"] if "train" in probe else []
    assert RunFolder(only_run(*words, probe, *steps)).stats.mode is None


def test_measuring_leaves_running_statistics_as_they_were():
    given, before = subject(*AVERAGED)
    with given.measuring():
        given.network(given.inputs())
    for path, values in before.items():
        assert np.array_equal(given.parameters[path].data().asnumpy(), values.astype(np.float32)), (
            path
        )


def test_training_after_a_measurement_is_the_same_as_without(only_run):
    model = AVERAGED[1].replace("units: 4", "units: 10")
    words = ("model.input=[64]", model, "data=digits", "probe=train", "probe.steps=2")
    words = (*words, "data.batch=16", "probe.judged=32")
    alone = RunFolder(only_run(*words, "name=alone")).stats
    both = RunFolder(only_run(*words, "measure=[layers,backprop,cosine]", "name=both")).stats
    assert (alone.training, alone.figures) == (both.training, both.figures)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("probe.mode=test",), "probe.mode: cannot be 'test' - Known: predict, train"),
        (
            ("probe.mode=predict", "probe.dropout=true"),
            "probe.dropout: drops nothing in predict mode - set probe.mode to train",
        ),
        (
            ("probe=none", "probe.mode=predict"),
            "probe.mode: has no effect: neither the probe nor a measurement looks at layers",
        ),
        (
            ("probe=train", "data=digits", "model.input=[64]", "probe.dropout=true"),
            "probe.dropout: has no effect: the training of probe=train is in train mode with dropout",
        ),
    ],
)
def test_a_mode_that_cannot_be_or_does_nothing_is_refused(words, said, command):
    done = command(*words)
    assert done.code == 2 and said in done.err, done.err


def test_the_mode_of_a_config_from_before_is_that_of_before():
    from initlab.runner.plan.validate import revalidate

    plain = declare(*AVERAGED, "probe=forward").checked.resolved
    assert revalidate(plain).probe.mode == "train"
    former = {**plain, "probe": {"kind": "forward"}}
    assert revalidate(former).probe.mode is None
