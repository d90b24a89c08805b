"""Counting and picking elements by the part of their range."""

from __future__ import annotations

import numpy as np
import pytest

from initlab.engine import native
from initlab.runner.stats.buckets import Buckets


@pytest.mark.parametrize("name", native.cores())
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("size", [1, 255, 256, 257, 5000])
def test_a_core_counts_and_picks_as_numpy_does(name, dtype, size):
    drawn = np.random.default_rng(size).normal(3, 2, size).astype(dtype)
    drawn[0] = 1
    low, high = float(drawn.min()) - 1, float(drawn.max())
    ours, numpys = (Buckets(drawn, low, high, 100, by) for by in (name, "numpy"))
    counts = numpys.count()
    assert (ours.count() == counts).all()
    for wanted in (counts > 3, counts == 0, counts >= 0):
        count = int(counts[wanted].sum())
        assert (ours.pick(wanted, count) == numpys.pick(wanted, count)).all()


@pytest.mark.parametrize("name", ["numpy", *native.cores()])
def test_an_element_lies_between_the_edges_of_its_bucket(name):
    elements = np.array([0, 0.5, 0.75, 1, 4], np.float32)
    buckets = Buckets(elements, 0, 4, 4, name)
    assert buckets.edges(np.arange(5)).tolist() == [0, 1, 2, 3, 4]
    assert buckets.count().tolist() == [3, 1, 0, 1]
    assert buckets.pick(np.array([True, False, True, True]), 4).tolist() == [0, 0.5, 0.75, 4]
