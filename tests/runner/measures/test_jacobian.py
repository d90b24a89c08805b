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
    whole = jacobian.jacobian(given, given.batch.inputs[0])
    monkeypatch.setattr(jacobian, "AT_ONCE", 2)
    assert jacobian.jacobian(given, given.batch.inputs[0]) == pytest.approx(whole, abs=1e-6)
    assert whole.shape == (3, 6)
