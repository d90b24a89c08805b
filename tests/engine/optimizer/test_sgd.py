"""Gradient descent: the formulas, and what MXNet gave is in `differential/optimizers`."""

from __future__ import annotations

import numpy as np
import pytest
from descent import check_formula, descend

from initlab.engine import nd, optimizer


def sgd(w, state, t, lr=0.1, wd=0.0, momentum=0.0):
    m = momentum * state.get("m", 0) - lr * (w + wd * w)
    return w + m, {"m": m}


def nag(w, state, t, lr=0.1, wd=0.0, momentum=0.9):
    g = w + wd * w
    m = momentum * state.get("m", 0) - lr * g
    return w + momentum * m - lr * g, {"m": m}


@pytest.mark.parametrize(
    ("name", "options", "rule", "arguments"),
    [
        ("sgd", {"learning_rate": 0.1}, sgd, {}),
        (
            "sgd",
            {"learning_rate": 0.1, "wd": 0.5, "momentum": 0.9},
            sgd,
            {"wd": 0.5, "momentum": 0.9},
        ),
        ("nag", {"learning_rate": 0.1, "wd": 0.2, "momentum": 0.9}, nag, {"wd": 0.2}),
    ],
)
def test_a_rule_follows_its_formula(name, options, rule, arguments):
    check_formula(name, options, rule, arguments)


def test_signs_move_every_weight_by_the_rate_and_leave_it_where_the_gradient_is_zero():
    rule = optimizer.create("signum", learning_rate=0.1, momentum=0)
    w = nd.array([1.0, 1, 1])
    rule.update(0, w, nd.array([5.0, -0.1, 0]), rule.create_state(0, w))
    np.testing.assert_allclose(w.asnumpy(), [0.9, 1.1, 1])


def test_delay_compensation_takes_a_momentum():
    """MXNet asks for the truth value of an array here, and fails."""

    def rule(w, state, t):
        g, m = w, state.get("m", 0) * 0.9
        m = m - 0.1 * (g + 0.04 * g * g * (w - state.get("previous", w)))
        return w + m, {"m": m, "previous": w}

    check_formula("dcasgd", {"learning_rate": 0.1, "momentum": 0.9}, rule, {})


def test_langevin_noise_has_the_variance_of_the_rate():
    rule = optimizer.create("sgld", learning_rate=0.04)
    w = nd.zeros((10000,))
    rule.update(0, w, nd.zeros((10000,)), None)
    assert abs(w.asnumpy().std() - 0.2) < 0.01


def test_an_old_name_of_gradient_descent_is_the_same():
    options = {"learning_rate": 0.1, "momentum": 0.5}
    assert descend("ccsgd", options).tolist() == descend("sgd", options).tolist()
