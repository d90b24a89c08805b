"""Rows of large tensors come from all parts of them."""

from __future__ import annotations

import numpy as np
import pytest

from initlab.runner.audit import sample
from initlab.runner.stats.onepass import summarize


@pytest.mark.parametrize("shape", [(2400, 1000), (2401, 1000), (3, 2000000), (30, 200000)])
def test_rows_of_a_large_tensor_are_few_and_from_everywhere(shape):
    values = np.broadcast_to(np.arange(shape[0], dtype=np.float32)[:, None], shape).copy()
    found = sample.rows(values)
    assert found.size <= sample.MOST and found.dtype == np.float64
    assert (np.diff(found[:, 0]) > 0).all()
    assert found[-1, 0] >= shape[0] * 0.9 - 1 and found[0, 0] == 0


def test_small_tensors_are_taken_whole():
    values = np.arange(12, dtype=np.float32).reshape(3, 4)
    assert sample.rows(values).tolist() == values.tolist()


def test_figures_of_a_view_are_those_of_its_copy():
    values = np.random.default_rng(0).normal(size=(300, 500)).astype(np.float32)
    assert sample.figures(values.T) == summarize(values.T.copy())


def test_chunks_are_the_whole_in_order():
    values = np.arange(3 * sample.MOST // 2, dtype=np.float32).reshape(3, -1, 2)
    parts = list(sample.chunks(values))
    assert [first for first, _ in parts] == [0, 2]
    assert np.array_equal(np.concatenate([part for _, part in parts]), values.reshape(3, -1))
