"""What theory says of a chain of dense layers, from the laws alone."""

from __future__ import annotations

import pytest

from initlab.runner.report.prediction import chain, predicted_rms
from initlab.runner.report.reading import read_run


def test_a_chain_is_dense_layers_in_sequences_and_repetitions():
    layers = [
        {"kind": "flatten"},
        {"kind": "dense", "name": "a", "units": 3, "activation": "relu"},
        {"kind": "repeat", "name": "r", "times": 2, "layers": [{"kind": "dense", "units": 3}]},
    ]
    assert chain(layers) == [("a", "relu"), ("r.0.0", None), ("r.1.0", None)]


@pytest.mark.parametrize("layer", [{"kind": "conv2d"}, "dense", {"kind": "batch_norm"}])
def test_anything_else_is_no_chain(layer):
    assert chain([{"kind": "dense", "units": 3}, layer]) is None


def test_wide_layers_have_the_rms_that_is_predicted(only_run):
    width = "{kind: dense, units: 512, activation: relu}"
    words = [f"model.layers=[{width}, {width}, {width}]", "model.input=[512]", "init=he"]
    run = read_run(only_run(*words, "probe=forward", "data=normal", "data.batch=16"))
    predicted = predicted_rms(run)
    assert list(predicted) == ["0", "1", "2"]
    for row in run.layers:
        assert row["rms"] == pytest.approx(predicted[row["path"]], rel=0.1)


def test_nothing_is_predicted_where_dropout_was_measured(only_run):
    layers = "{kind: dense, units: 64}, {kind: dropout, rate: 0.5}, {kind: dense, units: 64}"
    words = [f"model.layers=[{layers}]", "model.input=[64]", "init=he", "data=normal"]
    assert predicted_rms(read_run(only_run(*words, "probe=forward", "name=off"))) is not None
    on = only_run(*words, "probe=forward", "probe.dropout=true", "name=on")
    assert predicted_rms(read_run(on)) is None
