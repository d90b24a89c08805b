"""Exact quantiles are those of NumPy, however few keys may be held at a time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from initlab.runner.stats.onepass import BLOCK, quantiles, selection, summarize

PROBABILITIES = [0, 0.001, 0.25, 1 / 3, 0.5, 0.75, 0.999, 1]


def check_quantiles(values: np.ndarray) -> None:
    finite = values[np.isfinite(values.astype(np.float64))].astype(np.float64)
    assert (
        quantiles(values, summarize(values), PROBABILITIES)
        == np.quantile(finite, PROBABILITIES).tolist()
    )


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_quantiles_equal_numpys_for_any_numbers(dtype, data):
    largest = {"float16": 1e4, "float32": 1e38, "float64": 1e300}[dtype]
    elements = st.one_of(
        st.floats(-largest, largest).map(np.dtype(dtype).type),
        st.sampled_from([np.inf, -np.inf, np.nan, 0.0, -0.0]),
    )
    values = data.draw(arrays.arrays(dtype, st.integers(1, 50), elements=elements))
    if np.isfinite(values).any():
        check_quantiles(values)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int32"])
@pytest.mark.parametrize("held", [1, 1000, 1 << 20])
def test_the_number_of_passes_does_not_matter(dtype, held, monkeypatch):
    monkeypatch.setattr(selection, "GATHERED", held)
    values = (np.random.default_rng(0).standard_normal(2 * BLOCK + 99) * 100).astype(dtype)
    check_quantiles(values)
    if dtype != "int32":
        values[:5] = [np.nan, np.inf, -np.inf, -np.nan, -0.0]
        check_quantiles(values)


def test_many_equal_elements_are_found_without_gathering_them(monkeypatch):
    monkeypatch.setattr(selection, "GATHERED", 10)
    monkeypatch.setattr(selection, "_gather", None)
    values = np.full(BLOCK + 3, 0.1, np.float32)
    values[:3] = [-1, 5, 7]
    assert quantiles(values, summarize(values), [0.5]) == [float(np.float32(0.1))]


def test_quantiles_are_computed_from_a_mapped_file(tmp_path):
    values = np.random.default_rng(1).standard_normal((3, BLOCK)).astype(np.float32)
    values.tofile(tmp_path / "values")
    check_quantiles(np.memmap(tmp_path / "values", np.float32, "r", shape=(3, BLOCK)))


def test_a_tensor_without_finite_elements_has_no_quantiles():
    values = np.array([np.nan, np.inf], np.float32)
    assert quantiles(values, summarize(values), [0.5, 1]) == [None, None]
