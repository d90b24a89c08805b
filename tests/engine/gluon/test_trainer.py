"""Trainer and optimizers: their formulas, replicas, stale gradients, saved states, and that a
network learns.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

from initlab.engine import autograd, cpu, init, lr_scheduler, nd, optimizer, streams
from initlab.engine.errors import FormatError
from initlab.engine.gluon import Parameter, Trainer, nn
from initlab.runner.data.digits import Digits


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


def test_replicas_get_the_sum_of_their_gradients():
    parameter = Parameter("w", shape=(2,))
    parameter.initialize(init.One(), ctx=[cpu(0), cpu(1)])
    trainer = Trainer([parameter], "sgd", {"learning_rate": 1.0, "momentum": 0.5})
    for step in range(2):
        with autograd.record():
            losses = [(parameter.data(d) * (i + 1)).sum() for i, d in enumerate((cpu(0), cpu(1)))]
        autograd.backward(losses)
        trainer.step(3)
        assert [a.tolist() for a in parameter.list_data()] == [[[0, 0], [-1.5, -1.5]][step]] * 2
    assert trainer.optimizer.num_update == 2


def test_a_stale_gradient_is_an_error_or_is_skipped():
    used, unused = nn.Dense(1, in_units=2, use_bias=False), nn.Dense(1, in_units=2, use_bias=False)
    for layer in (used, unused):
        layer.initialize(init.One())
    trainer = Trainer([used.weight, unused.weight], "sgd", {"learning_rate": 1.0})
    with autograd.record():
        loss = used(nd.ones((1, 2)))
    loss.backward()
    with pytest.raises(
        UserWarning,
        match="Gradient of Parameter `dense.*_weight` on context cpu\\(0\\) has not been updated by backward",
    ):
        trainer.step(1)
    assert used.weight.data().tolist() == [[1, 1]]
    trainer.step(1, ignore_stale_grad=True)
    assert (used.weight.data().tolist(), unused.weight.data().tolist()) == ([[0, 0]], [[1, 1]])


@pytest.mark.parametrize("name", ["sgd", "adam"])
def test_training_goes_on_from_saved_states(name, tmp_path):
    def fresh():
        parameter = Parameter("w", shape=(3,))
        parameter.initialize(init.Constant([1.0, -2.0, 3.0]))
        options = {"learning_rate": 0.1} | ({"momentum": 0.9} if name == "sgd" else {})
        return parameter, Trainer([parameter], name, options)

    def step(parameter, trainer):
        with autograd.record():
            loss = (parameter.data() ** 2).sum()
        loss.backward()
        trainer.step(1)

    whole, trainer = fresh()
    for _ in range(6):
        step(whole, trainer)
    first, trainer = fresh()
    for _ in range(3):
        step(first, trainer)
    trainer.save_states(tmp_path / "t.states")
    second, again = fresh()
    second.set_data(first.data())
    again.load_states(tmp_path / "t.states")
    for _ in range(3):
        step(second, again)
    assert second.data().tolist() == whole.data().tolist()
    other = Trainer([fresh()[0]], "adagrad")
    with pytest.raises(
        FormatError,
        match=f"holds the states of {type(again.optimizer).__name__}, but this trainer uses AdaGrad",
    ):
        other.load_states(tmp_path / "t.states")


def test_a_network_learns_the_digits():
    batch = Digits(batch=512).load((64,), 0)
    net = nn.HybridSequential()
    net.add(nn.Dense(64, activation="relu"), nn.Dense(10))
    net.initialize(init.He())
    trainer = Trainer(net.collect_params(), "adam", {"learning_rate": 0.01})
    x, y = nd.array(batch.inputs), nd.array(batch.labels)
    losses = []
    for _ in range(40):
        with autograd.record():
            loss = -nd.pick(nd.log_softmax(net(x)), y)
        loss.backward()
        trainer.step(512)
        losses.append(float(loss.mean().asscalar()))
    assert losses[0] > 1.5
    assert losses[-1] < 0.2
    assert ((net(x).argmax(axis=1) == y).mean().asscalar()) > 0.95


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (
            lambda p: Trainer(3, "sgd"),
            ValueError,
            "First argument must be a list or dict of Parameters, got <class 'int'>",
        ),
        (lambda p: Trainer([3], "sgd"), ValueError, "got list of <class 'int'>"),
        (lambda p: Trainer([p], "nosuch"), ValueError, "Cannot find optimizer nosuch"),
        (
            lambda p: Trainer([p], "sgd", kvstore="dist_sync"),
            ValueError,
            "kvstore cannot be 'dist_sync'",
        ),
        (
            lambda p: Trainer([p], "sgd", compression_params={"type": "2bit"}),
            ValueError,
            "compression_params are for distributed training",
        ),
        (
            lambda p: Trainer([p], optimizer.SGD(), {"learning_rate": 1}),
            AssertionError,
            "optimizer_params must be None",
        ),
        (
            lambda p: Trainer([Parameter("u", shape=(1,))], "sgd"),
            RuntimeError,
            "Parameter 'u' has not been initialized",
        ),
    ],
)
def test_what_cannot_be_trained_is_refused(make, error, message):
    parameter = Parameter("w", shape=(1,))
    parameter.initialize()
    with pytest.raises(error, match=message):
        make(parameter)


def test_a_scheduler_decides_the_rate(capsys):
    schedule = lr_scheduler.FactorScheduler(step=2, factor=0.1, base_lr=1.0)
    parameter = Parameter("w", shape=(1,))
    parameter.initialize(init.One())
    trainer = Trainer([parameter], "sgd", {"lr_scheduler": schedule})
    rates = []
    for _ in range(6):
        rates.append(trainer.learning_rate)
        with autograd.record():
            loss = parameter.data() * 1.0
        loss.backward()
        trainer.step(1)
    assert np.allclose(rates, [1, 1, 1, 0.1, 0.1, 0.01])
    with pytest.raises(UserWarning, match="LRScheduler of the optimizer has already been defined"):
        trainer.set_learning_rate(0.5)
    Trainer([parameter], "sgd", {"learning_rate": 0.3, "lr_scheduler": schedule})
    assert "has been overwritten by ``learning_rate`` in optimizer" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        (
            lr_scheduler.MultiFactorScheduler([2, 4], 0.5, base_lr=1.0),
            {0: 1, 2: 1, 3: 0.5, 4: 0.5, 5: 0.25},
        ),
        (lr_scheduler.PolyScheduler(10, base_lr=1.0, pwr=2), {0: 1, 5: 0.25, 10: 0, 20: 0}),
        (lr_scheduler.CosineScheduler(10, base_lr=1.0, final_lr=0.2), {0: 1, 5: 0.6, 10: 0.2}),
        (
            lr_scheduler.CosineScheduler(10, base_lr=1.0, warmup_steps=4, warmup_begin_lr=0.2),
            {0: 0.2, 2: 0.6, 4: 1.0, 10: 0},
        ),
        (
            lr_scheduler.FactorScheduler(
                3, 0.1, stop_factor_lr=0.05, base_lr=1.0, warmup_steps=2, warmup_mode="constant"
            ),
            {0: 0, 1: 0, 2: 1, 4: 0.1, 9: 0.05},
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_schedules_follow_their_formulas(schedule, expected):
    assert {t: pytest.approx(schedule(t)) for t in expected} == expected


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: lr_scheduler.FactorScheduler(0),
            "Schedule step must be greater or equal than 1 round",
        ),
        (lambda: lr_scheduler.FactorScheduler(1, 2), "Factor must be no more than 1"),
        (lambda: lr_scheduler.MultiFactorScheduler([3, 2]), "increasing integer list"),
        (
            lambda: lr_scheduler.PolyScheduler(0),
            "maximum number of updates must be strictly positive",
        ),
        (
            lambda: lr_scheduler.LRScheduler(0.1, warmup_begin_lr=1),
            "Base lr has to be higher than warmup_begin_lr",
        ),
        (
            lambda: lr_scheduler.LRScheduler(0.1, warmup_mode="x"),
            "Supports only linear and constant modes",
        ),
    ],
)
def test_an_impossible_schedule_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
