"""Jacobians of the network."""

from __future__ import annotations

import numpy as np
import pytest
from measured import CHAIN, by_hand, measured, subject


def test_a_jacobian_is_what_finite_differences_give():
    words = [*CHAIN, "data.batch=4", "measure=[jacobian]", "measure.jacobian.samples=4"]
    given, values = subject(*words)
    rows = measured(given, *words)["jacobian"]
    checked = 0
    for sample in range(4):
        x = given.batch.inputs[sample].astype(np.float64)
        step = 1e-6 * np.eye(6)
        rise = by_hand(x + step, values)["c"][1] - by_hand(x - step, values)["c"][1]
        singular = np.linalg.svd(rise.T / 2e-6, compute_uv=False)
        row = rows[str(sample)]
        assert row["largest"] == pytest.approx(singular[0], rel=1e-4)
        assert row["mean"] == pytest.approx(singular.mean(), rel=1e-4)
        assert row["mean_square"] == pytest.approx((singular**2).mean(), rel=1e-4)
        assert row["variance"] == pytest.approx(
            (singular**2).var() / (singular**2).mean() ** 2, rel=1e-3
        )
        if singular[-1] > 1e-3:  # where enough units are active
            checked += 1
            assert row["smallest"] == pytest.approx(singular[-1], rel=1e-3)
            assert row["log_mean"] == pytest.approx(np.log(singular).mean(), abs=1e-3)
            assert row["condition"] == pytest.approx(singular[0] / singular[-1], rel=1e-3)
    assert checked


def test_the_jacobian_of_many_outputs_is_put_together_from_parts(monkeypatch):
    from initlab.runner.measures import jacobian

    given, values = subject(*CHAIN)
    whole = jacobian.jacobian(given, 0)
    monkeypatch.setattr(jacobian, "AT_ONCE", 2)
    assert jacobian.jacobian(given, 0) == pytest.approx(whole, abs=1e-6)
    assert whole.shape == (3, 6)


AVERAGED = [
    "model.input=[6]",
    "model.layers=[{kind: dense, name: a, units: 5}, {kind: batch_norm, name: bn}, {kind: activation, name: tanh, activation: tanh}, {kind: dense, name: c, units: 3}]",
    "init=normal",
    "init.sigma=0.7",
    "data=normal",
    "data.batch=8",
]


def averaged(x: np.ndarray, v: dict[str, np.ndarray]) -> np.ndarray:
    z = x @ v["a.weight"].T + v["a.bias"]
    z = (z - z.mean(0)) / np.sqrt(z.var(0) + 1e-5)
    return np.tanh(z) @ v["c.weight"].T + v["c.bias"]


def test_in_train_mode_a_sample_is_normalized_with_its_batch():
    words = [*AVERAGED, "measure=[jacobian]", "measure.jacobian.samples=3"]
    given, values = subject(*words)
    rows = measured(given, *words)["jacobian"]
    x = given.batch.inputs.astype(np.float64)
    for sample in range(3):
        columns = []
        for axis in range(6):
            step = np.zeros_like(x)
            step[sample, axis] = 1e-6
            rise = averaged(x + step, values) - averaged(x - step, values)
            columns.append(rise[sample] / 2e-6)
        singular = np.linalg.svd(np.stack(columns, 1), compute_uv=False)
        assert rows[str(sample)]["largest"] == pytest.approx(singular[0], rel=1e-3)
        assert rows[str(sample)]["mean_square"] == pytest.approx((singular**2).mean(), rel=1e-3)


def test_in_predict_mode_a_jacobian_does_not_depend_on_the_batch():
    words = [*AVERAGED, "measure=[jacobian]", "probe.mode=predict"]
    given, values = subject(*words)
    largest = measured(given, *words)["jacobian"]["0"]["largest"]
    given.batch = type(given.batch)(given.batch.inputs[:1], None)
    row = measured(given, *words)["jacobian"]["0"]
    assert row["largest"] == pytest.approx(largest, rel=1e-6)
