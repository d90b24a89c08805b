"""What one step moves."""

from __future__ import annotations

import numpy as np
import pytest
from measured import DIGITS, measured, rms, subject


def test_output_change_equals_that_of_a_step_by_hand_and_the_values_are_restored():
    words = [*DIGITS, "measure=[output_change]", "measure.output_change.learning_rate=0.3"]
    given, values = subject(*words)
    before = {path: p.data().asnumpy().tobytes() for path, p in given.parameters.items()}
    row = measured(given, *words)["layers"]["fc"]
    x, y = given.batch.inputs.astype(np.float64), given.batch.labels
    scores = x @ values["fc.weight"].T + values["fc.bias"]
    p = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
    p[np.arange(16), y] -= 1
    moved = -0.3 / 16 * (x @ (p.T @ x).T + p.sum(0))
    assert row["output_change"] == pytest.approx(rms(moved), rel=1e-3)
    assert row["output_change_ratio"] == pytest.approx(rms(moved) / rms(scores), rel=1e-3)
    assert {path: p.data().asnumpy().tobytes() for path, p in given.parameters.items()} == before


def test_batch_normalization_gets_its_running_statistics_back():
    layers = "model.layers=[{kind: dense, name: a, units: 12}, {kind: batch_norm, name: n}, {kind: dense, name: b, units: 10}]"
    words = ["model.input=[64]", layers, "data=digits", "init=he", "measure=[output_change]"]
    given, _ = subject(*words)
    before = {path: p.data().asnumpy().tobytes() for path, p in given.parameters.items()}
    assert measured(given, *words)["layers"]["b"]["output_change"] > 0
    assert {path: p.data().asnumpy().tobytes() for path, p in given.parameters.items()} == before
