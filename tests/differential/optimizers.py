"""The updates of every optimizer, step by step, on the engine and on MXNet 1.9.1. Like `programs`;
`python -m differential.optimizers engine|mxnet OUT.npz FOLDER` runs all.
"""

import sys

import numpy as np
from differential.programs import data, main

PROGRAMS = {}
EXACT = {"sgld"}
STEPS = 6

OPTIONS = {
    "sgd": ({}, {"momentum": 0.9, "wd": 0.1, "clip_gradient": 0.3}),
    "ccsgd": ({"momentum": 0.5},),
    "nag": ({"wd": 0.1}, {"momentum": 0.9, "clip_gradient": 0.3}),
    "signum": ({}, {"momentum": 0.0, "wd": 0.1}, {"wd": 0.1, "wd_lh": 0.2, "clip_gradient": 0.3}),
    "sgld": ({}, {"wd": 0.1, "clip_gradient": 0.3}),
    "dcasgd": ({}, {"wd": 0.1, "lamda": 0.5, "clip_gradient": 0.3}),
    "adam": ({}, {"wd": 0.1, "clip_gradient": 0.3, "beta1": 0.8}),
    "adamax": ({}, {"wd": 0.1, "clip_gradient": 0.3}),
    "nadam": ({}, {"wd": 0.1, "clip_gradient": 0.3, "schedule_decay": 0.1}),
    "ftml": ({}, {"wd": 0.1, "clip_gradient": 0.3}),
    "adagrad": ({}, {"wd": 0.1, "clip_gradient": 0.3, "eps": 1e-3}),
    "rmsprop": (
        {},
        {"wd": 0.1, "clip_gradient": 0.3, "clip_weights": 0.6},
        {"centered": True, "gamma2": 0.5},
        {"centered": True, "wd": 0.1, "clip_gradient": 0.3, "clip_weights": 0.6},
    ),
    "adadelta": ({}, {"wd": 0.01, "clip_gradient": 0.3, "rho": 0.8}),
    "ftrl": ({}, {"wd": 0.1, "clip_gradient": 0.3, "lamda1": 0.2, "beta": 0.5}),
    "lamb": (
        {},
        {"wd": 0.1, "clip_gradient": 0.3, "lower_bound": 0.4, "upper_bound": 0.9},
        {"bias_correction": False, "wd": 0.1},
    ),
    "lars": ({}, {"momentum": 0.9, "wd": 0.1, "clip_gradient": 0.3, "eta": 0.5, "eps": 1e-3}),
    "lbsgd": (
        {},
        {"momentum": 0.9, "batch_scale": 2, "wd": 0.1, "updates_per_epoch": 1},
        {"batch_scale": 2, "warmup_strategy": "power2", "updates_per_epoch": 2},
        {"batch_scale": 2, "warmup_strategy": "sqrt", "updates_per_epoch": 2, "begin_epoch": 1},
        {"warmup_strategy": "lars", "wd": 0.1},
    ),
}


def gradients(name):
    """Return the gradients of two weights for each step; some are 0."""
    found = []
    for step in range(STEPS):
        pair = [data(3, 2, seed=10 + step), data(2, seed=30 + step)]
        if name != "adamax":  # there MXNet divides 0 by 0
            pair[0][1, 1] = 0
        found.append(pair)
    return found


def stepped(mx, name, options, dtype="float32"):
    mx.random.seed(5)
    given = dict(options, learning_rate=0.1, rescale_grad=0.5)
    optimizer = mx.optimizer.create(name, **given)
    updater = mx.optimizer.get_updater(optimizer)
    weights = [
        mx.nd.array(data(3, 2, seed=1), dtype=dtype),
        mx.nd.array(data(2, seed=2), dtype=dtype),
    ]
    found = {}
    for step, pair in enumerate(gradients(name)):
        for i, g in enumerate(pair):
            grad = mx.nd.array(g, dtype=dtype)
            updater(i, grad, weights[i])
            found[f"step {step} weight {i}"] = weights[i].asnumpy()
    return found


def add(name):
    def program(mx):
        found = {}
        for number, options in enumerate(OPTIONS[name]):
            for key, value in stepped(mx, name, options).items():
                found[f"{number} {key}"] = value
        return found

    PROGRAMS[name] = program


for _name in OPTIONS:
    add(_name)


def program(function):
    PROGRAMS[function.__name__] = function
    return function


@program
def multi_precision(mx):
    """float16 weights through float32 copies."""
    found = {}
    for name in ("sgd", "nag", "adam", "lamb", "lars", "lbsgd"):
        options = {"multi_precision": True}
        if name in ("sgd", "nag", "lars", "lbsgd"):
            options["momentum"] = 0.9
        for key, value in stepped(mx, name, options, "float16").items():
            found[name + " " + key] = value
    return found


@program
def schedules(mx):
    """A rate that changes, and its effect on the momentum of LARS."""
    found = {}
    for name in ("sgd", "adam", "lars"):
        rate = mx.lr_scheduler.FactorScheduler(step=2, factor=0.5)
        options = {"momentum": 0.9} if name != "adam" else {}
        mx.random.seed(1)
        optimizer = mx.optimizer.create(name, learning_rate=0.1, lr_scheduler=rate, **options)
        weight = mx.nd.array(data(3, 2, seed=1))
        state = optimizer.create_state_multi_precision(0, weight)
        for step, (g, _) in enumerate(gradients(name)):
            optimizer.update_multi_precision(0, weight, mx.nd.array(g), state)
            found[f"{name} {step}"] = weight.asnumpy()
            found[f"{name} rate {step}"] = np.array(optimizer.learning_rate)
    return found


@program
def multipliers(mx):
    """Factors by name and by number; names that are no weights have no decay."""
    optimizer = mx.optimizer.create(
        "sgd", learning_rate=0.5, wd=0.1, param_idx2name={0: "a_weight", 1: "a_bias", 2: "b_gamma"}
    )
    optimizer.set_lr_mult({0: 2.0, "a_bias": 3.0})
    found = {"rates": np.array(optimizer._get_lrs([0, 1, 2, 3]))}
    found["decays"] = np.array(optimizer._get_wds([0, 1, 2, 3]))
    optimizer.set_wd_mult({"a_weight": 0.5, 1: 4.0})
    found["decays given"] = np.array(optimizer._get_wds([0, 1, 2, 3]))
    return found


@program
def subclasses(mx):
    """Optimizers written as MXNet's tutorials write them: `update(index, weight, grad, state)`."""

    @mx.optimizer.register
    class Halving(mx.optimizer.Optimizer):
        def create_state(self, index, weight):
            return mx.nd.zeros(weight.shape, weight.context, dtype=weight.dtype)

        def update(self, index, weight, grad, state):
            self._update_count(index)
            lr, wd = self._get_lr(index), self._get_wd(index)
            t = self._index_update_count[index]
            grad = grad * self.rescale_grad
            if self.clip_gradient is not None:
                grad = mx.nd.clip(grad, -self.clip_gradient, self.clip_gradient)
            state[:] = state * 0.5 + grad
            weight[:] += -lr / t * (state + wd * weight)

    class Doubled(mx.optimizer.Adam):
        def update(self, index, weight, grad, state):
            super().update(index, weight, grad * 2, state)

    found = {}
    for label, optimizer in {
        "own": mx.optimizer.create("halving", learning_rate=0.3, wd=0.1, clip_gradient=0.4),
        "adam": Doubled(learning_rate=0.1, epsilon=0.5),
    }.items():
        mx.random.seed(2)
        net = mx.gluon.nn.Dense(2, in_units=3, prefix="net_")
        net.initialize(mx.init.Uniform(0.5))
        trainer = mx.gluon.Trainer(net.collect_params(), optimizer)
        for step in range(4):
            with mx.autograd.record():
                loss = (net(mx.nd.array(data(4, 3, seed=step))) ** 2).sum()
            loss.backward()
            trainer.step(4)
            for name, p in net.collect_params().items():
                found[f"{label} {name} {step}"] = p.data().asnumpy()
    return found


@program
def trained(mx):
    """Networks trained through Trainer, several parameters at once."""
    found = {}
    for name in ("sgd", "nag", "adam", "adadelta", "adamax", "nadam", "ftrl", "ftml", "signum", "lars",
                 "lamb", "rmsprop", "adagrad"):  # fmt: skip
        mx.random.seed(2)
        net = mx.gluon.nn.HybridSequential(prefix="net_")
        with net.name_scope():
            net.add(
                mx.gluon.nn.Dense(4, in_units=3, activation="tanh"),
                mx.gluon.nn.Dense(2, in_units=4),
            )
        net.initialize(mx.init.Uniform(0.5))
        options = {} if name == "adadelta" else {"learning_rate": 0.05}
        if name in ("sgd", "nag", "lars"):
            options["momentum"] = 0.9
        trainer = mx.gluon.Trainer(net.collect_params(), name, options)
        for step in range(4):
            with mx.autograd.record():
                loss = ((net(mx.nd.array(data(6, 3, seed=step))) - 1) ** 2).mean(axis=1)
            loss.backward()
            trainer.step(6)
        for key, p in net.collect_params().items():
            found[name + " " + key] = p.data().asnumpy()
    return found


if __name__ == "__main__":
    main(*sys.argv[1:], programs=PROGRAMS)
