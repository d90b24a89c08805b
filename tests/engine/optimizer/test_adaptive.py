"""Rates by element: the formulas."""

from __future__ import annotations

import numpy as np
import pytest
from descent import check_formula, descend

from initlab.engine import nd, optimizer


def rmsprop(w, state, t, lr=0.1, wd=0.0, gamma=0.9):
    g = w + wd * w
    n = (1 - gamma) * g * g + gamma * state.get("n", 0)
    return w - lr * g / np.sqrt(n + 1e-8), {"n": n}


def centered(w, state, t, lr=0.1, gamma=0.9):
    n, mean = (
        (1 - gamma) * w * w + gamma * state.get("n", 0),
        (1 - gamma) * w + gamma * state.get("mean", 0),
    )
    delta = gamma * state.get("delta", 0) - lr * w / np.sqrt(n - mean * mean + 1e-8)
    return w + delta, {"n": n, "mean": mean, "delta": delta}


def adagrad(w, state, t, lr=0.1, wd=0.0):
    h = state.get("h", 0) + w * w
    return w - lr * (w / np.sqrt(h + 1e-7) + wd * w), {"h": h}


@pytest.mark.parametrize(
    ("name", "options", "rule", "arguments"),
    [
        ("rmsprop", {"learning_rate": 0.1, "wd": 0.1}, rmsprop, {"wd": 0.1}),
        ("rmsprop", {"learning_rate": 0.1, "centered": True}, centered, {}),
        ("adagrad", {"learning_rate": 0.1, "wd": 0.1}, adagrad, {"wd": 0.1}),
    ],
)
def test_a_rule_follows_its_formula(name, options, rule, arguments):
    check_formula(name, options, rule, arguments)


def test_the_sum_of_gradient_and_decay_is_clipped():
    bound = {"learning_rate": 0.1, "clip_gradient": 1e-3}
    assert descend("rmsprop", bound | {"wd": 0.5}).tolist() == descend("rmsprop", bound).tolist()


def test_weights_are_bounded():
    options = {"learning_rate": 0.1, "clip_weights": 0.5}
    assert descend("rmsprop", options, steps=1).tolist() == [0.5, -0.5]


def test_weak_gradients_give_weights_of_zero():
    rule = optimizer.create("ftrl", lamda1=0.5)
    w = nd.array([0.0, 0.0])
    rule.update(0, w, nd.array([0.4, -3]), rule.create_state(0, w))
    assert w[0].asscalar() == 0
    assert w[1].asscalar() > 0


def test_adadelta_has_no_learning_rate():
    assert descend("adadelta", {}).tolist() == descend("adadelta", {"learning_rate": 9}).tolist()
