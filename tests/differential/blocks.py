"""Blocks as code for MXNet writes them, on the engine and on MXNet 1.9.1: laws of initializers, shapes
inferred from a block's own computation, states carried over backward passes, more cells. Like
`programs`; `python -m differential.blocks engine|mxnet OUT.npz FOLDER` runs all.
"""

import sys

import numpy as np
from differential.programs import data, main

PROGRAMS = {}
EXACT = {"laws_by_shape"}


def program(function):
    PROGRAMS[function.__name__] = function
    return function


@program
def laws_by_shape(mx):
    """Where the shape and the meaning of the axes give different fans."""
    nn, rnn, found = mx.gluon.nn, mx.gluon.rnn, {}
    inits = {
        "xavier": mx.init.Xavier(),
        "by name": "xavier",
        "gaussian in": mx.init.Xavier("gaussian", "in", 2),
        "msra": mx.init.MSRAPrelu("out", 0.1),
    }
    layers = {
        "lstm": lambda: rnn.LSTM(7, num_layers=2, bidirectional=True, input_size=5),
        "gru cell": lambda: rnn.GRUCell(7, input_size=5),
        "depthwise": lambda: nn.Conv2D(6, 3, groups=6, in_channels=6),
        "transposed": lambda: nn.Conv2DTranspose(6, 3, in_channels=4),
        "channels last": lambda: nn.Conv2D(6, 3, in_channels=4, layout="NHWC"),
        "embedding": lambda: nn.Embedding(50, 8),
        "dense": lambda: nn.Dense(3, in_units=9),
    }
    for kind, made in inits.items():
        for label, make in layers.items():
            if made == "xavier" and label != "lstm":
                continue
            mx.random.seed(17)
            layer = make()
            layer.initialize(made)
            for name, p in layer.collect_params().items():
                found[f"{kind} {label} {name[len(layer.prefix) :]}"] = p.data().asnumpy()
    return found


@program
def states_carried_over_a_backward_pass(mx):
    """What a backward pass has consumed counts as a constant in the next recorded step."""
    nd, rnn, found = mx.nd, mx.gluon.rnn, {}
    w, s = nd.array([3.0]), nd.array([1.0])
    w.attach_grad()
    for i in range(3):
        with mx.autograd.record():
            s = s * w
        s.backward()
        found[f"product {i}"] = w.grad.asnumpy()
    layers = {
        "lstm": lambda: rnn.LSTM(4, num_layers=2, bidirectional=True, input_size=3),
        "gru": lambda: rnn.GRU(4, input_size=3),
        "rnn": lambda: rnn.RNN(4, input_size=3),
        "lstm cell": lambda: rnn.LSTMCell(4, input_size=3),
        "gru cell": lambda: rnn.GRUCell(4, input_size=3),
    }
    for label, make in layers.items():
        layer = make()
        layer.initialize(mx.init.Constant(0.1))
        states = layer.begin_state(batch_size=2)
        trainer = mx.gluon.Trainer(layer.collect_params(), "sgd", {"learning_rate": 0.1})
        shape = (2, 3) if "cell" in label else (5, 2, 3)
        for i in range(3):
            with mx.autograd.record():
                out, states = layer(mx.nd.array(data(*shape, seed=i)), states)
                loss = (out * out).sum()
            loss.backward()
            trainer.step(2)
            found[f"{label} {i}"] = loss.asnumpy()
            for n, p in enumerate(layer.collect_params().values()):
                found[f"{label} {i} gradient {n}"] = p.grad().asnumpy()
    return found


@program
def contributed_cells(mx):
    from_contrib, rnn, found = mx.gluon.contrib.rnn, mx.gluon.rnn, {}
    x = mx.nd.array(data(2, 3, 5))
    rates = {
        "inputs": {"drop_inputs": 0.5},
        "outputs": {"drop_outputs": 0.4},
        "states": {"drop_states": 0.5},
        "all": {"drop_inputs": 0.3, "drop_states": 0.3, "drop_outputs": 0.3},
    }
    cells = {
        "rnn": lambda: rnn.RNNCell(4),
        "projected": lambda: from_contrib.LSTMPCell(4, 3),
        "both ways": lambda: rnn.BidirectionalCell(rnn.GRUCell(2), rnn.GRUCell(2)),
    }
    for label, make in cells.items():
        for what, options in rates.items():
            if "drop_states" in options and label == "both ways":
                continue
            cell = from_contrib.VariationalDropoutCell(make(), **options)
            cell.initialize(mx.init.Constant(0.1))
            cell.unroll(3, x)
            for lengths in (None, mx.nd.array([1, 2])):
                mx.random.seed(3)
                with mx.autograd.record():
                    out, states = cell.unroll(3, x, merge_outputs=True, valid_length=lengths)
                key = f"{label} {what} {lengths is None}"
                found[key], found[key + " state"] = out.asnumpy(), states[0].asnumpy()
    return found


def deferred(mx, shapes, compute):
    """Return a block with parameters of these shapes, unknown in part."""

    class Deferred(mx.gluon.HybridBlock):
        def __init__(self):
            super().__init__(prefix="deferred_")
            for name, shape in shapes.items():
                given = self.params.get(name, shape=shape, allow_deferred_init=True)
                setattr(self, name, given)

        def hybrid_forward(self, F, *inputs, **params):
            return compute(F, *inputs, **params)

    return Deferred()


def dense_of(F, x, w, **options):
    return F.FullyConnected(x, w, no_bias=True, num_hidden=5, **options)


DEFERRED = {
    "dense": ({"w": (5, 0)}, dense_of, (2, 3)),
    "dense of three axes": ({"w": (5, 0)}, lambda F, x, w: dense_of(F, x, w), (2, 3, 4)),
    "last axis": ({"w": (5, 0)}, lambda F, x, w: dense_of(F, x, w, flatten=False), (2, 3, 4)),
    "no axes known": ({"w": None}, dense_of, (2, 3)),
    "bias": (
        {"w": (5, 0), "b": (0,)},
        lambda F, x, w, b: F.FullyConnected(x, w, b, num_hidden=5),
        (2, 3),
    ),
    "convolution": (
        {"w": (4, 0, 3, 3), "b": (0,)},
        lambda F, x, w, b: F.Convolution(x, w, b, kernel=(3, 3), num_filter=4, num_group=2),
        (2, 6, 5, 5),
    ),
    "deconvolution": (
        {"w": (0, 2, 3, 3)},
        lambda F, x, w: F.Deconvolution(
            x, w, kernel=(3, 3), num_filter=4, num_group=2, no_bias=True
        ),
        (2, 6, 5, 5),
    ),
    "layer norm": ({"g": (0,), "b": (0,)}, lambda F, x, g, b: F.LayerNorm(x, g, b), (2, 3)),
    "layer norm of axis 1": (
        {"g": (0,), "b": (0,)},
        lambda F, x, g, b: F.LayerNorm(x, g, b, axis=1),
        (2, 3, 4),
    ),
    "instance norm": (
        {"g": (0,), "b": (0,)},
        lambda F, x, g, b: F.InstanceNorm(x, g, b),
        (2, 3, 4),
    ),
    "group norm": (
        {"g": (0,), "b": (0,)},
        lambda F, x, g, b: F.GroupNorm(x, g, b, num_groups=2),
        (2, 4, 4),
    ),
    "embedding": (
        {"w": (0, 0)},
        lambda F, x, w: F.Embedding(F.zeros_like(x), w, input_dim=4, output_dim=3),
        (2, 3),
    ),
    "sum": ({"w": (0, 0)}, lambda F, x, w: x + w, (2, 3)),
    "product": ({"w": (2, 0)}, lambda F, x, w: w * x, (2, 3)),
    "elemwise_sub": ({"w": (0, 0)}, lambda F, x, w: F.elemwise_sub(x, w), (2, 3)),
    "add_n": ({"w": (0, 0)}, lambda F, x, w: F.add_n(x, w, x), (2, 3)),
    "maximum": ({"w": (0, 0)}, lambda F, x, w: F.maximum(x, w), (2, 3)),
    "where": ({"w": (0, 0)}, lambda F, x, w: F.where(x, w, x), (2, 3)),
    "concat": ({"w": (2, 0)}, lambda F, x, w: F.concat(x, w, dim=0), (2, 3)),
    "of a function": ({"w": (5, 0)}, lambda F, x, w: dense_of(F, x, F.relu(w)), (2, 3)),
    "of a sum": ({"w": (5, 0)}, lambda F, x, w: dense_of(F, x, w * 2 + 1), (2, 3)),
    "two unknown": (
        {"w": (0, 0), "v": (0, 0)},
        lambda F, x, w, v: F.square((w + v) * x).mean(),
        (2, 3),
    ),
}


@program
def deferred_shapes(mx):
    found = {}
    for label, (shapes, compute, shape) in DEFERRED.items():
        block = deferred(mx, shapes, compute)
        block.initialize(mx.init.Constant(0.5))
        found[label] = block(mx.nd.array(data(*shape))).asnumpy()
        for name, p in block.params.items():
            found[f"{label} {name}"] = np.array(p.shape)
    return found


if __name__ == "__main__":
    main(*sys.argv[1:], programs=PROGRAMS)
