"""Several metrics at once, and metrics from whatever names one."""

from __future__ import annotations

import pytest

from initlab.engine import metric, nd

LABELS, SCORES = [nd.array([1, 0])], [nd.array([[0.1, 0.9], [0.2, 0.8]])]


def test_a_composite_gives_the_names_and_values_of_all():
    both = metric.create(["acc", metric.CrossEntropy()])
    both.update(LABELS, SCORES)
    names, values = both.get()
    alone = metric.CrossEntropy()
    alone.update(LABELS, SCORES)
    assert names == ["accuracy", "cross-entropy"]
    assert values == [0.5, alone.get()[1]]
    assert both.get_global() == (names, values)


def test_resetting_a_composite_resets_each():
    both = metric.CompositeEvalMetric(["acc"])
    both.add("mse")
    both.update(LABELS, [nd.array([[0.1], [0.9]])])
    both.reset()
    assert [each.num_inst for each in both.metrics] == [0, 0]


def test_a_function_a_list_and_a_name_are_metrics():
    assert isinstance(metric.create(lambda label, pred: 1.0), metric.CustomMetric)
    assert isinstance(metric.create(["acc"]), metric.CompositeEvalMetric)
    assert isinstance(metric.create("acc"), metric.Accuracy)


def test_a_missing_number_returns_an_error_as_in_mxnet():
    given = metric.CompositeEvalMetric(["acc"]).get_metric(5)
    assert isinstance(given, ValueError) and "out of range 0 and 1" in str(given)


def test_a_dictionary_is_handed_on_by_the_names_that_are_wanted():
    both = metric.CompositeEvalMetric(["acc"], label_names=["a"], output_names=["b"])
    both.update_dict({"a": LABELS[0], "z": nd.ones((1,))}, {"b": SCORES[0], "c": nd.ones((1,))})
    assert both.get()[1] == [pytest.approx(0.5)]
