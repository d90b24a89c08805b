"""A network of 200 small dense layers in Gluon code, and a worker process that times its
`initialize`.

`python initialize_cases.py engine|mxnet [implementation]` reads lines `case passes` and answers
each with the mean seconds of a pass. Besides NumPy it imports only the engine or MXNet.
"""

from __future__ import annotations

import sys
import time

import numpy as np

WIDTHS = (8, 96, 17, 64, 40, 33, 80, 24, 12, 56)


def framework(name, implementation):
    """Return the engine, which draws with `implementation`, or MXNet 1.9.1."""
    if name == "mxnet":
        np.bool = bool  # MXNet 1.9.1 asks NumPy for a name that newer ones lack
        import mxnet as mx

        return mx
    import initlab.engine as mx
    from initlab.engine import streams

    streams.implementation(implementation)
    return mx


def network(mx):
    """Return a network of dense layers of widths 8 to 96 whose shapes are known."""
    net = mx.gluon.nn.HybridSequential()
    before = WIDTHS[0]
    for number in range(200):
        width = WIDTHS[(7 * number + 3) % len(WIDTHS)]
        net.add(mx.gluon.nn.Dense(width, in_units=before))
        before = width
    return net


def seconds(mx, case, passes):
    """Return the mean seconds of `passes` calls. The networks are made before the clock starts."""
    net = network(mx)
    net.initialize(mx.init.Normal(0.01))
    nets = [network(mx) if case == "fresh" else net for _ in range(passes)]
    mx.nd.waitall()
    start = time.perf_counter()
    for each in nets:
        each.initialize(mx.init.Normal(0.01), force_reinit=case == "again")
        mx.nd.waitall()
    return (time.perf_counter() - start) / passes


def main(name, implementation="auto"):
    """Answer requests until stdin ends."""
    mx = framework(name, implementation)
    print("ready fresh again", flush=True)
    for line in sys.stdin:
        case, passes = line.split()
        print(seconds(mx, case, int(passes)), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
