"""Optimizers: their formulas, multipliers, and clipping."""

from __future__ import annotations

import math

import numpy as np
import pytest

from initlab.engine import autograd, init, streams
from initlab.engine.gluon import Parameter, Trainer


@pytest.fixture(autouse=True)
def seeded():
    streams.seed(0)


def descend(name, options, steps=5, lr_mult=1.0, wd_mult=1.0):
    """Steps on sum of w^2 / 2 … with a batch of 2, so that g = w."""
    parameter = Parameter("w", shape=(2,))
    parameter.lr_mult, parameter.wd_mult = lr_mult, wd_mult
    parameter.initialize(init.Constant([1.0, -2.0]))
    trainer = Trainer([parameter], name, options)
    for _ in range(steps):
        with autograd.record():
            loss = (parameter.data() * parameter.data()).sum()
        loss.backward()
        trainer.step(2)
    return parameter.data().asnumpy().astype(np.float64)


def sgd(w, state, t, lr=0.1, wd=0.0, momentum=0.0):
    m = momentum * state.get("m", 0) - lr * (w + wd * w)
    return w + m, {"m": m}


def nag(w, state, t, lr=0.1, wd=0.0, momentum=0.9):
    g = w + wd * w
    m = momentum * state.get("m", 0) - lr * g
    return w + momentum * m - lr * g, {"m": m}


def adam(w, state, t, lr=0.1, wd=0.0, decoupled=False, b1=0.9, b2=0.999, eps=1e-8):
    g = w if decoupled else w + wd * w
    m, v = b1 * state.get("m", 0) + (1 - b1) * g, b2 * state.get("v", 0) + (1 - b2) * g * g
    step = lr * math.sqrt(1 - b2**t) / (1 - b1**t) * m / (np.sqrt(v) + eps)
    return w - step - (lr * wd * w if decoupled else 0), {"m": m, "v": v}


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


RULES = [
    ("sgd", {"learning_rate": 0.1}, sgd, {}),
    ("sgd", {"learning_rate": 0.1, "wd": 0.5, "momentum": 0.9}, sgd, {"wd": 0.5, "momentum": 0.9}),
    ("nag", {"learning_rate": 0.1, "wd": 0.2, "momentum": 0.9}, nag, {"wd": 0.2}),
    ("adam", {"learning_rate": 0.1, "wd": 0.1}, adam, {"wd": 0.1}),
    ("adamw", {"learning_rate": 0.1, "wd": 0.1}, adam, {"wd": 0.1, "decoupled": True}),
    ("rmsprop", {"learning_rate": 0.1, "wd": 0.1}, rmsprop, {"wd": 0.1}),
    ("rmsprop", {"learning_rate": 0.1, "centered": True}, centered, {}),
    ("adagrad", {"learning_rate": 0.1, "wd": 0.1}, adagrad, {"wd": 0.1}),
]


@pytest.mark.parametrize(
    ("name", "options", "rule", "arguments"),
    RULES,
    ids=[f"{r[0]}-{i}" for i, r in enumerate(RULES)],
)
def test_a_rule_follows_its_formula(name, options, rule, arguments):
    w, state = np.array([1.0, -2.0]), {}
    for t in range(1, 6):
        w, state = rule(w, state, t, **arguments)
    np.testing.assert_allclose(descend(name, options), w, rtol=2e-5)


def test_multipliers_scale_the_rate_and_the_decay_of_one_parameter():
    w = np.array([1.0, -2.0])
    for _ in range(5):
        w, _ = sgd(w, {}, 0, lr=0.05, wd=1.0)
    np.testing.assert_allclose(
        descend("sgd", {"learning_rate": 0.1, "wd": 0.5}, lr_mult=0.5, wd_mult=2.0), w, rtol=1e-5
    )
    assert descend("adam", {"learning_rate": 0.1}, lr_mult=0).tolist() == [1, -2]


def test_gradients_are_clipped_after_they_are_scaled():
    w = descend("sgd", {"learning_rate": 0.1, "clip_gradient": 0.5}, steps=1)
    np.testing.assert_allclose(w, [0.95, -1.95], rtol=1e-6)
