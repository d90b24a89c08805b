"""Metrics of numbers."""

from __future__ import annotations

import numpy as np
import pytest

from initlab.engine import metric, nd


def test_a_micro_correlation_is_that_of_all_samples():
    random = np.random.default_rng(0)
    batches = [(random.normal(size=n), random.normal(size=n)) for n in (3, 50, 7)]
    m = metric.PearsonCorrelation(average="micro")
    for x, y in batches:
        m.update([nd.array(x)], [nd.array(y)])
    whole = np.corrcoef(*(np.concatenate([b[i] for b in batches]) for i in (0, 1)))[0, 1]
    assert m.get()[1] == pytest.approx(whole, rel=1e-5)
