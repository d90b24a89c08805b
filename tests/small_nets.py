"""Small networks with named layers, and their first values."""

from __future__ import annotations

import numpy as np

from initlab.engine import init, nd
from initlab.engine.gluon import nn


def named(**layers) -> nn.HybridSequential:
    net = nn.HybridSequential()
    for name, layer in layers.items():
        net.register_child(layer, name)
    return net


def values(net) -> dict[str, np.ndarray]:
    return {path: parameter.data().asnumpy() for path, parameter in net.structural_params().items()}


def filled(net, initializer=None, features=5, **options) -> dict[str, np.ndarray]:
    net.initialize(initializer or init.Normal(0.1), root="", **options)
    net(nd.ones((2, features)))
    return values(net)


def same(a: dict, b: dict) -> bool:
    return a.keys() == b.keys() and all(a[key].tobytes() == b[key].tobytes() for key in a)
