"""Lengths before and after activations."""

from __future__ import annotations

import numpy as np
import pytest
from measured import CHAIN, by_hand, measured, rms, subject


def test_lengths_before_and_after_activations_are_those_by_hand():
    given, values = subject(*CHAIN, "init.sigma=2")
    rows = measured(given, *CHAIN, "measure=[layers]")["layers"]
    expected = by_hand(given.batch.inputs.astype(np.float64), values)
    for path, (before, after) in expected.items():
        row = rows[path]
        for name, array in (("", after), ("pre_", before)):
            assert row[f"{name}rms"] == pytest.approx(rms(array), rel=1e-5)
            assert row[f"{name}mean"] == pytest.approx(array.mean(), abs=1e-5)
            assert row[f"{name}variance"] == pytest.approx(array.var(), rel=1e-5)
    assert rows["a"]["rms_ratio"] is None
    assert rows["b"]["rms_ratio"] == pytest.approx(
        rms(expected["b"][1]) / rms(expected["a"][1]), rel=1e-5
    )
    assert rows["c"]["pre_rms_ratio"] == pytest.approx(
        rms(expected["c"][0]) / rms(expected["b"][0]), rel=1e-5
    )
    assert (
        rows["a"]["saturated"] == pytest.approx((np.abs(expected["a"][1]) > 0.99).mean())
        and rows["a"]["saturated"] > 0
    )
    assert rows["b"]["saturated"] is None
    assert rows["b"]["zeros"] == pytest.approx((expected["b"][1] == 0).mean())
    assert rows["b"]["dead"] == pytest.approx((expected["b"][1] == 0).all(0).mean())


def test_a_bare_activation_is_a_layer_whose_input_is_what_comes_before_it():
    words = [
        "model.input=[6]",
        "model.layers=[{kind: dense, name: d, units: 5}, {kind: activation, name: t, activation: tanh}]",
        "data=normal",
    ]
    given, _ = subject(*words, "init=he")
    rows = measured(given, *words, "measure=[layers]")["layers"]
    assert rows["t"]["pre_rms"] == rows["d"]["rms"] and rows["t"]["saturated"] is not None


@pytest.mark.parametrize("kind", ["prelu", "gelu", "selu"])
def test_activations_of_their_own_are_bare_ones_too(kind):
    words = [
        "model.input=[6]",
        f"model.layers=[{{kind: dense, name: d, units: 5}}, {{kind: {kind}, name: t}}]",
        "data=normal",
    ]
    given, _ = subject(*words, "init=he")
    rows = measured(given, *words, "measure=[layers]")["layers"]
    assert rows["t"]["pre_rms"] == rows["d"]["rms"] != rows["t"]["rms"]


def test_the_report_of_a_run_whose_layers_have_no_lengths_can_be_read(only_run):
    from initlab.runner.report.reading import read_run

    assert read_run(only_run("probe=none", "measure=[cosine]")).layers == []
