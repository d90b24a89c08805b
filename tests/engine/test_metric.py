"""Metrics against what MXNet 1.9.1 gave in the same session, and what they do beyond it."""

from __future__ import annotations

import json
import math
from pathlib import Path

import metric_session
import numpy as np
import pytest

import initlab.engine as mx
from initlab.engine import metric, nd

RECORDED = json.loads(
    (Path(__file__).parents[1] / "vectors" / "mxnet-metric.json").read_text(encoding="utf-8")
)
OURS = {"ValueError: _BinaryClassificationMetrics currently": "ValueError: F1 currently"}
"""MXNet names an inner class where the metric is meant."""


def same(recorded, found) -> bool:
    if isinstance(recorded, (list, tuple)):
        return len(recorded) == len(found) and all(map(same, recorded, found))
    if isinstance(recorded, float):
        return (math.isnan(recorded) and math.isnan(found)) or found == pytest.approx(
            recorded, rel=2e-5, abs=1e-9
        )
    if isinstance(recorded, str):
        for theirs, ours in OURS.items():
            recorded = recorded.replace(theirs, ours)
    return recorded == found


def test_a_session_gives_what_mxnet_gave():
    found = json.loads(json.dumps(metric_session.session(mx), default=float))
    assert len(found) == len(RECORDED)
    for number, (theirs, ours) in enumerate(zip(RECORDED, found, strict=True)):
        assert same(theirs, ours), f"step {number}: {theirs} != {ours}"


def test_micro_and_macro_differ_where_batches_do():
    labels, preds = [nd.array([1, 1, 0])], [nd.array([[0.1, 0.9], [0.2, 0.8], [0.3, 0.7]])]
    more = [nd.array([0, 0, 0, 1])], [nd.array([[0.9, 0.1]] * 4)]
    macro, micro = metric.F1(), metric.F1(average="micro")
    for m in (macro, micro):
        m.update(labels, preds)
        m.update(*more)
    assert macro.get()[1] == pytest.approx((0.8 + 0) / 2)
    assert micro.get()[1] == pytest.approx(2 * 2 / (2 * 2 + 1 + 1))


def test_a_micro_correlation_is_that_of_all_samples():
    random = np.random.default_rng(0)
    batches = [(random.normal(size=n), random.normal(size=n)) for n in (3, 50, 7)]
    m = metric.PearsonCorrelation(average="micro")
    for x, y in batches:
        m.update([nd.array(x)], [nd.array(y)])
    whole = np.corrcoef(*(np.concatenate([b[i] for b in batches]) for i in (0, 1)))[0, 1]
    assert m.get()[1] == pytest.approx(whole, rel=1e-5)


def test_ones_own_metric_is_found_by_its_name():
    @metric.register
    @metric.alias("furthest")
    class Furthest(metric.EvalMetric):
        def __init__(self, name="furthest"):
            super().__init__(name)

        def update(self, labels, preds):
            self.sum_metric, self.num_inst = float(abs(labels[0] - preds[0]).max().asscalar()), 1

    made = mx.metric.create("furthest")
    made.update([nd.array([1, 2])], [nd.array([4, 2])])
    assert made.get() == made.get_global() == ("furthest", 3.0)
    assert str(made) == "EvalMetric: {'furthest': 3.0}"


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
