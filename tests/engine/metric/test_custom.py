"""One's own metrics."""

from __future__ import annotations

import initlab.engine as mx
from initlab.engine import metric, nd


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


def test_a_function_without_a_name_is_called_custom_as_in_mxnet():
    assert metric.np(lambda label, pred: 0.0).name == "custom(<lambda>)"
