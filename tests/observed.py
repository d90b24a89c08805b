"""Networks made in Python, observed: for the tests of observations, symptoms and diagnoses."""

from __future__ import annotations

import numpy as np

from initlab.engine import init, nd
from initlab.engine.device import cpu
from initlab.engine.gluon import nn
from initlab.runner.data import Batch
from initlab.runner.observation.passes import observe
from initlab.runner.plan.network import network_of
from initlab.runner.probes import Subject
from initlab.runner.symptoms import REGISTRY, Examined


def subject_of(net, inputs, labels=None, dtype="float32"):
    """Return the network with a batch for it."""
    batch = Batch(inputs, labels)
    return Subject(net, {}, network_of(net).owners, batch, (batch, None), cpu(0), dtype, 0)


def inputs(*shape, seed=0):
    """Return normal inputs."""
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def made(*layers, initializer="he", batch=None):
    """Return an initialized sequence of layers."""
    net = nn.HybridSequential()
    net.add(*layers)
    net.initialize(init.create(initializer) if isinstance(initializer, str) else initializer)
    if batch is not None:
        net(nd.array(batch))
    return net


def chain(depth, activation, initializer, width=64, classes=10):
    """Return dense layers with an activation, and a layer of scores."""
    layers = [nn.Dense(width, activation=activation) for _ in range(depth)]
    return made(*layers, nn.Dense(classes), initializer=initializer)


def seen_in(net, samples=32, size=20):
    """Return the observation of a network for normal inputs, labelled 0, 1, … in turn."""
    x = inputs(samples, size)
    net(nd.array(x))
    return observe(subject_of(net, x, np.arange(samples) % 10))


def reading(symptom, net, **given):
    """Return (place, reading) of the worst reading of a symptom; None without any."""
    found = list(REGISTRY.get(symptom)().readings(Examined(seen_in(net, **given))))
    return max(found, key=lambda item: item[0]) if found else None
