"""Singular values of weights."""

from __future__ import annotations

import numpy as np
import pytest
from measured import CHAIN, measured, subject


def test_singular_values_of_weights_and_their_units():
    words = [
        *CHAIN,
        "model.layers=[{kind: dense, name: a, units: 40}, {kind: dense, name: b, units: 40}]",
        "measure=[spectrum]",
    ]
    given, values = subject(*words)
    rows = measured(given, *words)["spectrum"]
    assert set(rows) == {"a.weight", "b.weight"}
    w = values["b.weight"]
    singular = np.linalg.svd(w, compute_uv=False)
    row = rows["b.weight"]
    assert row["largest"] == pytest.approx(singular[0]) and row["smallest"] == pytest.approx(
        singular[-1]
    )
    assert row["stable_rank"] == pytest.approx((w**2).sum() / singular[0] ** 2)
    assert row["trace"] == pytest.approx(np.trace(w)) and row["square_trace"] == pytest.approx(
        np.trace(w) ** 2
    )
    assert row["trace_square"] == pytest.approx(np.trace(w @ w))
    assert row["mp_high"] == pytest.approx(singular[0] ** 2 / (40 * (w**2).mean()))
    assert row["ratio"] == 1 and row["mp_ks"] < 0.1
    assert rows["a.weight"]["trace"] is None and (
        rows["a.weight"]["rows"],
        rows["a.weight"]["columns"],
    ) == (
        40,
        6,
    )


def test_a_matrix_that_is_too_large_is_named_but_not_decomposed():
    words = [*CHAIN, "measure=[spectrum]", "measure.spectrum.most=5"]
    given, _ = subject(*words)
    rows = measured(given, *words)["spectrum"]
    assert rows["a.weight"]["largest"] is None and rows["b.weight"]["largest"] is not None
