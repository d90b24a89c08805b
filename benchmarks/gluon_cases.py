"""Networks in Gluon code that runs unchanged on the engine and on MXNet, and a worker process that
times them.

`python gluon_cases.py engine|mxnet` reads lines `case passes` and answers each with the mean
seconds of `passes` forward and backward passes. Besides NumPy it imports only the engine or MXNet.
"""

from __future__ import annotations

import sys
import time

import numpy as np


def framework(name):
    """Return (nd, autograd, gluon, init) of the engine or of MXNet 1.9.1."""
    if name == "mxnet":
        np.bool = bool  # MXNet 1.9.1 asks NumPy for a name that newer ones lack
        import mxnet as mx
    else:
        import initlab.engine as mx
    return mx.nd, mx.autograd, mx.gluon, mx.init


def cases(nd, autograd, gluon, init):
    """Return {name: (network, input, label or None)}."""
    nn, rnn = gluon.nn, getattr(gluon, "rnn", None)
    random = np.random.RandomState(0)

    class Basic(gluon.HybridBlock):
        """Two 3 x 3 convolutions around a shortcut (He et al. 2016)."""

        def __init__(self, channels, stride, fits, **options):
            super().__init__(**options)
            with self.name_scope():
                self.body = nn.HybridSequential(prefix="")
                self.body.add(
                    nn.Conv2D(channels, 3, stride, 1, use_bias=False),
                    nn.BatchNorm(),
                    nn.Activation("relu"),
                    nn.Conv2D(channels, 3, 1, 1, use_bias=False),
                    nn.BatchNorm(),
                )
                self.shortcut = None
                if not fits:
                    self.shortcut = nn.HybridSequential(prefix="")
                    self.shortcut.add(
                        nn.Conv2D(channels, 1, stride, use_bias=False), nn.BatchNorm()
                    )

        def hybrid_forward(self, F, x):
            kept = x if self.shortcut is None else self.shortcut(x)
            return F.relu(self.body(x) + kept)

    def mlp():
        net = nn.HybridSequential()
        net.add(nn.Dense(256, activation="relu"), nn.Dense(10))
        return net, nd.array(random.rand(64, 20)), nd.array(random.randint(0, 10, 64))

    def lenet():
        net = nn.HybridSequential()
        net.add(
            nn.Conv2D(6, 3, padding=1, activation="relu"),
            nn.MaxPool2D(),
            nn.Conv2D(16, 3, padding=1, activation="relu"),
            nn.MaxPool2D(),
            nn.Flatten(),
            nn.Dense(120, activation="relu"),
            nn.Dense(84, activation="relu"),
            nn.Dense(10),
        )
        return net, nd.array(random.rand(64, 1, 8, 8)), nd.array(random.randint(0, 10, 64))

    def lstm():
        net = rnn.LSTM(200, num_layers=2)
        return net, nd.array(random.rand(35, 32, 200)), None

    def resnet18():
        net = nn.HybridSequential()
        net.add(
            nn.Conv2D(64, 7, 2, 3, use_bias=False),
            nn.BatchNorm(),
            nn.Activation("relu"),
            nn.MaxPool2D(3, 2, 1),
        )
        for channels, stride in ((64, 1), (128, 2), (256, 2), (512, 2)):
            net.add(Basic(channels, stride, fits=stride == 1), Basic(channels, 1, fits=True))
        net.add(nn.GlobalAvgPool2D(), nn.Dense(1000))
        return net, nd.array(random.rand(8, 3, 64, 64)), nd.array(random.randint(0, 1000, 8))

    made = {"mlp": mlp, "lenet": lenet, "lstm": lstm, "resnet18": resnet18}
    return {name: make for name, make in made.items() if name != "lstm" or rnn is not None}


def passes(fw, case, hybridize):
    """Return a function that makes one forward and backward pass and waits for its end."""
    nd, autograd, gluon, init = fw
    net, x, y = case
    net.initialize(init.Xavier())
    if hybridize:
        net.hybridize(static_alloc=True)
    loss_of = gluon.loss.SoftmaxCrossEntropyLoss()

    def once():
        with autograd.record():
            out = net(x)
            loss = out.sum() if y is None else loss_of(out, y)
        loss.backward()
        nd.waitall()

    return once


def main(name):
    """Answer requests until stdin ends."""
    fw = framework(name)
    made = cases(*fw)
    ready = {}
    print("ready", *made, flush=True)
    for line in sys.stdin:
        case, count = line.split()
        if case not in ready:
            ready[case] = passes(fw, made[case](), hybridize=name == "mxnet")
            for _ in range(3):
                ready[case]()
        start = time.perf_counter()
        for _ in range(int(count)):
            ready[case]()
        print((time.perf_counter() - start) / int(count), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
