"""Trainer and optimizers: their formulas, replicas, stale gradients, saved states, and that a
network learns.
"""

from __future__ import annotations

import pytest

from initlab.engine import autograd, cpu, init, nd, optimizer, streams
from initlab.engine.errors import FormatError
from initlab.engine.gluon import Parameter, Trainer, nn
from initlab.runner.data.digits import Digits


@pytest.fixture(autouse=True)
def seeded():
    streams.seed(0)


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
