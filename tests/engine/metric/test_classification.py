"""Metrics of classes, and what is refused."""

from __future__ import annotations

import pytest

from initlab.engine import metric, nd


def test_micro_and_macro_differ_where_batches_do():
    labels, preds = [nd.array([1, 1, 0])], [nd.array([[0.1, 0.9], [0.2, 0.8], [0.3, 0.7]])]
    more = [nd.array([0, 0, 0, 1])], [nd.array([[0.9, 0.1]] * 4)]
    macro, micro = metric.F1(), metric.F1(average="micro")
    for m in (macro, micro):
        m.update(labels, preds)
        m.update(*more)
    assert macro.get()[1] == pytest.approx((0.8 + 0) / 2)
    assert micro.get()[1] == pytest.approx(2 * 2 / (2 * 2 + 1 + 1))


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="Shape of labels 2 does not match shape of predictions 3"):
        metric.Accuracy().update([nd.ones((2,))], [nd.ones((3, 2))])
    with pytest.raises(AssertionError, match="Please use Accuracy if top_k is no more than 1"):
        metric.TopKAccuracy()
    with pytest.raises(AssertionError, match=r"shape mismatch: \(2,\) vs. \(3, 2\)"):
        metric.Perplexity(None).update([nd.ones((2,))], [nd.ones((3, 2))])
    with pytest.raises(ValueError, match="average must be 'macro' or 'micro', got 'mean'"):
        metric.PearsonCorrelation(average="mean")
    with pytest.raises(NotImplementedError, match="CustomMetric cannot be serialized"):
        metric.create(lambda a, b: 0.0).get_config()
