"""Several devices in one process: batches split over them, gradients added up, and one training
either way.
"""

from __future__ import annotations

import numpy as np
import pytest

from initlab.engine import autograd, cpu, gluon, init, random
from initlab.engine.gluon import nn, utils

X = np.random.default_rng(0).normal(size=(12, 5)).astype(np.float32)


Y = np.arange(12) % 3


def trained(devices, optimizer="sgd", **options):
    random.seed(4)
    net = nn.HybridSequential(prefix="net_")
    with net.name_scope():
        net.add(nn.Dense(8, activation="tanh"), nn.Dense(3))
    net.initialize(init.Xavier(), ctx=devices)
    trainer = gluon.Trainer(net.collect_params(), optimizer, {"learning_rate": 0.1, **options})
    loss_of = gluon.loss.SoftmaxCrossEntropyLoss()
    for _ in range(4):
        parts = zip(utils.split_and_load(X, devices), utils.split_and_load(Y, devices), strict=True)
        with autograd.record():
            losses = [loss_of(net(x), y) for x, y in parts]
        for loss in losses:
            loss.backward()
        trainer.step(len(X))
    return net


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize("count", [2, 3])
def test_training_on_several_devices_is_training_on_one(optimizer, count):
    one, several = trained([cpu(0)], optimizer), trained([cpu(i) for i in range(count)], optimizer)
    for a, b in zip(one.collect_params().values(), several.collect_params().values(), strict=True):
        assert b.list_ctx() == [cpu(i) for i in range(count)]
        for device in b.list_ctx():
            np.testing.assert_allclose(
                b.data(device).asnumpy(), a.data().asnumpy(), rtol=2e-5, atol=1e-6
            )
            assert b.data(device).context == device


def test_replicas_start_from_the_same_values_and_stay_equal():
    net = trained([cpu(0), cpu(1)], momentum=0.9)
    for parameter in net.collect_params().values():
        first, second = (data.asnumpy() for data in parameter.list_data())
        np.testing.assert_array_equal(first, second)
