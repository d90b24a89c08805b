"""Adam and its relatives: the formulas, and what differs from MXNet on purpose."""

from __future__ import annotations

import math

import numpy as np
import pytest
from descent import check_formula, descend

from initlab.engine import nd, optimizer


def adam(w, state, t, lr=0.1, wd=0.0, decoupled=False, b1=0.9, b2=0.999, eps=1e-8):
    g = w if decoupled else w + wd * w
    m, v = b1 * state.get("m", 0) + (1 - b1) * g, b2 * state.get("v", 0) + (1 - b2) * g * g
    step = lr * math.sqrt(1 - b2**t) / (1 - b1**t) * m / (np.sqrt(v) + eps)
    return w - step - (lr * wd * w if decoupled else 0), {"m": m, "v": v}


@pytest.mark.parametrize(
    ("name", "options", "rule", "arguments"),
    [
        ("adam", {"learning_rate": 0.1, "wd": 0.1}, adam, {"wd": 0.1}),
        ("adamw", {"learning_rate": 0.1, "wd": 0.1}, adam, {"wd": 0.1, "decoupled": True}),
    ],
)
def test_a_rule_follows_its_formula(name, options, rule, arguments):
    check_formula(name, options, rule, arguments)


@pytest.mark.parametrize("name", ["adam", "adamax", "nadam", "ftml"])
def test_the_sum_of_gradient_and_decay_is_clipped(name):
    """With a bound far below the decay, gradient and decay together are the bound: the decay does
    not matter.
    """
    bound = {"learning_rate": 0.1, "clip_gradient": 1e-3}
    assert descend(name, bound | {"wd": 0.5}).tolist() == descend(name, bound).tolist()


def test_a_weight_whose_gradient_is_zero_stays():
    """MXNet divides 0 by 0 here."""
    rule = optimizer.create("adamax", learning_rate=0.1)
    w = nd.array([1.0, 1])
    rule.update(0, w, nd.array([0.0, 2]), rule.create_state(0, w))
    np.testing.assert_allclose(w.asnumpy(), [1, 0.9], rtol=1e-6)
