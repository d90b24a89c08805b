"""The loss after a few steps on one batch."""

from __future__ import annotations

import math

import numpy as np
import pytest

from initlab.runner.advice.lookahead import FACTOR, FIRST, STEPS, loss_ahead, lowest
from initlab.runner.declare import declare
from initlab.runner.run import stages

LINEAR = (
    "model.layers=[{kind: dense, units: 10, use_bias: false}]",
    "model.input=[64]",
    "data=digits",
    "data.batch=32",
)


def subject_of(*words):
    config = declare(*words).checked
    return stages.subject_of(config, stages.initialize(config)[0])


def by_hand(subject, rate):
    """Gradient descent of a linear classifier, in float64."""
    x, y = subject.batch.inputs.astype(np.float64), subject.batch.labels
    w = next(iter(subject.parameters.values())).data().asnumpy().astype(np.float64)
    for _ in range(STEPS):
        z = np.exp(x @ w.T)
        p = z / z.sum(1, keepdims=True)
        w = w - rate * (p - np.eye(10)[y]).T @ x / len(x)
    scores = x @ w.T
    return float((np.log(np.exp(scores).sum(1)) - scores[np.arange(len(x)), y]).mean())


def test_it_is_the_loss_after_steps_of_gradient_descent_at_the_best_rate():
    subject = subject_of("init=he", *LINEAR)
    best = min(by_hand(subject, FIRST * FACTOR**power) for power in range(-3, 5))
    assert loss_ahead(subject) == pytest.approx(best, rel=1e-4)


def test_values_are_as_before_and_the_answer_the_same_again():
    subject = subject_of("init=he", *LINEAR)
    before = {p: q.data().asnumpy().copy() for p, q in subject.parameters.items()}
    assert loss_ahead(subject) == loss_ahead(subject)
    assert all((q.data().asnumpy() == before[p]).all() for p, q in subject.parameters.items())


def test_labels_that_the_data_lacks_are_drawn():
    found = loss_ahead(subject_of("init=he", "data=normal", "data.batch=16"))
    assert found is not None and found < 1


def test_a_network_without_scores_has_none():
    layers = "model.layers=[{kind: dense, units: 1}]"
    assert loss_ahead(subject_of("init=he", "data=normal", layers)) is None


def test_the_lowest_is_found_from_both_sides_and_past_what_diverges():
    assert lowest(lambda power: abs(power - 3)) == 0
    assert lowest(lambda power: abs(power + 2)) == 0
    assert lowest(lambda power: math.inf if power > -3 else 2.0) == 2.0
    assert lowest(lambda power: math.inf) == math.inf
