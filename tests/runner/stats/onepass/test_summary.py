"""Summaries: JSON and quantiles."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from one_pass import FLOATS, tensors

from initlab.runner.stats.onepass import Summary, bins, summarize


@pytest.mark.parametrize("dtype", FLOATS)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_summary_comes_back_from_json(dtype, data):
    summary = summarize(data.draw(tensors(dtype)), wrong=lambda part, start: 3)
    again = Summary.from_json(json.loads(json.dumps(summary.to_json(), allow_nan=False)))
    assert again == summary
    assert (again.histogram == summary.histogram).all()


@pytest.mark.parametrize("dtype", FLOATS)
@settings(max_examples=150, deadline=None)
@given(data=st.data(), probability=st.floats(0, 1))
def test_a_quantile_is_within_a_bins_width_of_the_exact_one(dtype, data, probability):
    values = data.draw(tensors(dtype))
    finite = values[np.isfinite(values)].astype(np.float64)
    if not finite.size:
        return
    edges = bins.edges(dtype)
    around = [np.quantile(finite, probability, method=method) for method in ("lower", "higher")]
    places = [int(np.searchsorted(edges, v, side="left" if v < 0 else "right")) for v in around]
    width = max(float(edges[min(p, edges.size - 1)] - edges[p - 1]) for p in places)
    with np.errstate(over="ignore", invalid="ignore"):
        exact = np.quantile(finite, probability)
    if np.isfinite(exact):
        assert abs(summarize(values).quantile(probability) - exact) <= width * (1 + 1e-9)


def test_quantiles_at_both_ends_and_of_zeros_are_exact():
    values = np.concatenate([np.zeros(50), [-3.3, 7.7]]).astype(np.float32)
    summary = summarize(values)
    assert (summary.quantile(0), summary.quantile(0.5), summary.quantile(1)) == (
        np.float32(-3.3),
        0.0,
        np.float32(7.7),
    )
