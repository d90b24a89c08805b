"""A warning names the line of the code that called the engine."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest

from initlab.engine import gluon, init, nd, optimizer
from initlab.engine.gluon import nn


def twice(initialize):
    initialize()
    initialize()


def sequential():
    net = nn.Sequential()
    net.add(nn.Sequential())
    net[0].add(nn.Dense(1))
    net.hybridize()


def deprecated():
    net = nn.Dense(1, in_units=1)
    net.initialize()
    net.save_params("net.params")


class Held(gluon.Block):
    def __init__(self):
        super().__init__()
        self.layers = [nn.Dense(1)]


@pytest.mark.parametrize(
    "call",
    [
        lambda: twice(nn.Dense(1, in_units=1).initialize),
        lambda: twice(nn.Dense(1, in_units=1).collect_params().initialize),
        lambda: twice(nn.Dense(1, in_units=1).weight.initialize),
        sequential,
        deprecated,
        lambda: Held().collect_params(),
        lambda: setattr(gluon.Constant("c", [1.0]), "grad_req", "write"),
        lambda: gluon.utils.clip_global_norm([nd.array([float("nan")])], 1.0),
        lambda: gluon.contrib.nn.SyncBatchNorm(),
        lambda: optimizer.register(type("SGD", (optimizer.SGD,), {})),
        lambda: init.One()("old_weight", nd.ones((1,))),
    ],
)
def test_the_line_is_the_callers(call, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    registered = dict(optimizer.REGISTRY.entries())
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call()
    optimizer.REGISTRY.add("sgd", registered["sgd"])
    assert caught
    assert {Path(one.filename).name for one in caught} == {Path(__file__).name}
