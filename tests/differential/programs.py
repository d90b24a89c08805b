"""Programs in Gluon's words that run unchanged on the engine and on real MXNet 1.9.1. Each gives
arrays by name.

`python programs.py engine|mxnet OUT.npz FOLDER` runs all of them; what a program raises is kept as
the class's name. Values in `EXACT` must agree to the bit (MXNet's own stream), the others to
rounding. It is read by MXNet's Python too, so it imports NumPy only.
"""

import os
import sys

import numpy as np

PROGRAMS = {}
EXACT = set()


def program(function):
    PROGRAMS[function.__name__] = function
    return function


def exact(function):
    EXACT.add(function.__name__)
    return program(function)


def data(*shape, seed=0):
    return np.random.RandomState(seed).uniform(-1, 1, shape).astype("float32")


def trained(mx, block, *inputs, seed=3, train=True):
    """Return the output, the input gradients, and every parameter with its gradient, of a block on
    inputs.
    """
    mx.random.seed(seed)
    block.initialize(mx.init.Uniform(0.5))
    arrays = [mx.nd.array(x) for x in inputs]
    for array in arrays:
        array.attach_grad()
    with mx.autograd.record(train_mode=train):
        out = block(*arrays)
        head = mx.nd.array(data(*out.shape, seed=9))
        loss = (out * head).sum()
    loss.backward()
    mx.nd.waitall()
    found = {"out": out.asnumpy()}
    for i, array in enumerate(arrays):
        found[f"dx{i}"] = array.grad.asnumpy()
    for name, p in block.collect_params().items():
        short = name[len(block.prefix) :]
        found[short] = p.data().asnumpy()
        if p.grad_req != "null":
            found["d" + short] = p.grad().asnumpy()
    return found


def many(mx, blocks, *inputs, **options):
    found = {}
    for label, make in blocks.items():
        for name, value in trained(mx, make(), *inputs, **options).items():
            found[label + " " + name] = value
    return found


# --- layers
# ---------------------------------------------------------------------------------------------------------------------


@program
def dense(mx):
    nn = mx.gluon.nn
    return many(
        mx,
        {
            "plain": lambda: nn.Dense(3),
            "relu": lambda: nn.Dense(3, activation="relu"),
            "no bias": lambda: nn.Dense(3, use_bias=False),
            "last axis": lambda: nn.Dense(3, flatten=False),
            "softrelu": lambda: nn.Dense(2, activation="softrelu", bias_initializer="ones"),
        },
        data(4, 2, 5),
    )


@program
def convolution_1d(mx):
    nn = mx.gluon.nn
    return many(
        mx,
        {
            "plain": lambda: nn.Conv1D(4, 3),
            "stride": lambda: nn.Conv1D(4, 3, strides=2, padding=1),
            "groups": lambda: nn.Conv1D(4, 2, groups=2, dilation=2),
        },
        data(2, 4, 9),
    )


@program
def convolution_2d(mx):
    nn = mx.gluon.nn
    return many(
        mx,
        {
            "plain": lambda: nn.Conv2D(4, 3),
            "oblong": lambda: nn.Conv2D(4, (3, 1), strides=(2, 1), padding=(1, 2)),
            "dilated": lambda: nn.Conv2D(2, 2, dilation=(2, 3), use_bias=False),
            "depthwise": lambda: nn.Conv2D(4, 3, groups=4, padding=1, activation="tanh"),
            "one by one": lambda: nn.Conv2D(5, 1, strides=2),
        },
        data(2, 4, 7, 8),
    )


@program
def convolution_3d(mx):
    return many(
        mx, {"3d": lambda: mx.gluon.nn.Conv3D(2, (2, 1, 2), strides=(1, 2, 1))}, data(1, 2, 4, 5, 4)
    )


@program
def pooling(mx):
    nn = mx.gluon.nn
    return many(
        mx,
        {
            "max": lambda: nn.MaxPool2D(),
            "max ceil": lambda: nn.MaxPool2D(3, 2, 1, ceil_mode=True),
            "avg": lambda: nn.AvgPool2D((2, 3), strides=(1, 2)),
            "avg padded": lambda: nn.AvgPool2D(3, 2, 1, count_include_pad=False),
            "avg counts padding": lambda: nn.AvgPool2D(3, 2, 1),
            "global max": lambda: nn.GlobalMaxPool2D(),
            "global avg": lambda: nn.GlobalAvgPool2D(),
        },
        data(2, 3, 7, 8),
    )


@program
def normalization(mx):
    nn = mx.gluon.nn
    blocks = {
        "batch": lambda: nn.BatchNorm(epsilon=0.01),
        "batch global": lambda: nn.BatchNorm(use_global_stats=True),
        "batch last axis": lambda: nn.BatchNorm(axis=-1, scale=False),
        "layer": lambda: nn.LayerNorm(),
        "layer first": lambda: nn.LayerNorm(axis=1, center=False),
        "instance": lambda: nn.InstanceNorm(),
        "group": lambda: nn.GroupNorm(num_groups=2),
    }
    return many(
        mx, blocks, data(3, 4, 5, 2)
    )  # after a forward and a backward running statistics agree, whichever moved them


@program
def activations(mx):
    nn = mx.gluon.nn
    return many(
        mx,
        {
            "leaky": lambda: nn.LeakyReLU(0.3),
            "prelu": lambda: nn.PReLU(),
            "elu": lambda: nn.ELU(0.7),
            "gelu": lambda: nn.GELU(),
            "swish": lambda: nn.Swish(1.5),
            "softsign": lambda: nn.Activation("softsign"),
        },
        data(4, 6) * 3,
    )


@program
def transposed_convolution(mx):
    nn = mx.gluon.nn
    return many(
        mx,
        {
            "plain": lambda: nn.Conv2DTranspose(3, 3),
            "strided": lambda: nn.Conv2DTranspose(4, 3, strides=2, padding=1, output_padding=1),
            "groups": lambda: nn.Conv2DTranspose(
                4, 2, groups=2, strides=(2, 1), use_bias=False, in_channels=4
            ),
        },
        data(2, 4, 4, 5),
    )


@program
def embedding(mx):
    layer = mx.gluon.nn.Embedding(4, 3)
    mx.random.seed(3)
    layer.initialize(mx.init.Uniform(0.5))
    with mx.autograd.record():
        out = layer(mx.nd.array([[0, 2, 1], [3, 3, 0]]))
        loss = (out * mx.nd.array(data(2, 3, 3, seed=4))).sum()
    loss.backward()
    return {"out": out.asnumpy(), "gradient": layer.weight.grad().asnumpy()}


@program
def recurrent_layers(mx):
    rnn = mx.gluon.rnn
    return many(
        mx,
        {
            "lstm": lambda: rnn.LSTM(3),
            "lstm both ways, two layers": lambda: rnn.LSTM(3, num_layers=2, bidirectional=True),
            "gru": lambda: rnn.GRU(3, num_layers=2),
            "rnn relu": lambda: rnn.RNN(3),
            "rnn tanh": lambda: rnn.RNN(3, activation="tanh", bidirectional=True),
        },
        data(5, 2, 4),
        train=False,
    )


@program
def projected_lstm(mx):
    """Return outputs only: MXNet has no gradient of it on a CPU."""
    layer = mx.gluon.rnn.LSTM(4, num_layers=2, projection_size=2, bidirectional=True, layout="NTC")
    mx.random.seed(3)
    layer.initialize(mx.init.Uniform(0.5))
    out, (h, c) = layer(mx.nd.array(data(2, 5, 4)), layer.begin_state(2))
    return {"out": out.asnumpy(), "h": h.asnumpy(), "c": c.asnumpy()}


@program
def recurrent_cells(mx):
    rnn = mx.gluon.rnn
    found = {}
    for name, make in {
        "rnn": lambda: rnn.RNNCell(3),
        "lstm": lambda: rnn.LSTMCell(3),
        "gru": lambda: rnn.GRUCell(3),
        "residual": lambda: rnn.ResidualCell(rnn.GRUCell(4)),
    }.items():
        cell = make()
        mx.random.seed(3)
        cell.initialize(mx.init.Uniform(0.5))
        x = mx.nd.array(data(2, 5, 4))
        x.attach_grad()
        with mx.autograd.record():
            out, states = cell.unroll(5, x, layout="NTC", merge_outputs=True)
            loss = (out * mx.nd.array(data(*out.shape, seed=4))).sum()
        loss.backward()
        found.update({name + " out": out.asnumpy(), name + " dx": x.grad.asnumpy()})
        found.update({f"{name} state {i}": s.asnumpy() for i, s in enumerate(states)})
    return found


def _unrolled(mx, cell, **options):
    """Return the results of 5 training steps with MXNet's stream: outputs, states, and the input
    gradients.
    """
    layout = options.get("layout", "NTC")
    mx.random.seed(3)
    cell.initialize(mx.init.Uniform(0.5))
    x = mx.nd.array(data(2, 5, 4) if layout == "NTC" else data(5, 2, 4))
    x.attach_grad()
    with mx.autograd.record():
        out, states = cell.unroll(5, x, **options)
        whole = mx.nd.stack(*out, axis=1) if isinstance(out, list) else out
        loss = (whole * mx.nd.array(data(*whole.shape, seed=4))).sum()
    loss.backward()
    found = {"out": whole.asnumpy(), "dx": x.grad.asnumpy()}
    found.update({f"state {i}": s.asnumpy() for i, s in enumerate(states)})
    return found


@program
def cells_that_drop(mx):
    """The masks of zoneout and dropout come from MXNet's stream."""
    rnn, found = mx.gluon.rnn, {}
    for name, make in {
        "zoneout": lambda: rnn.ZoneoutCell(rnn.LSTMCell(3), 0.4, 0.3),
        "zoneout of outputs": lambda: rnn.ZoneoutCell(rnn.GRUCell(3), 0.5),
    }.items():
        found.update(
            {
                f"{name} {key}": value
                for key, value in _unrolled(mx, make(), merge_outputs=True).items()
            }
        )
    stack = rnn.SequentialRNNCell()
    for cell in (rnn.GRUCell(3), rnn.DropoutCell(0.4), rnn.RNNCell(2, activation="relu")):
        stack.add(cell)
    found.update(
        {f"stack {key}": value for key, value in _unrolled(mx, stack, merge_outputs=True).items()}
    )
    return found


@program
def ways_to_unroll(mx):
    rnn, found = mx.gluon.rnn, {}
    for name, options in {
        "time first": {"layout": "TNC", "merge_outputs": True},
        "a list": {"merge_outputs": False},
        "lengths": {"merge_outputs": True, "valid_length": mx.nd.array([2, 5])},
    }.items():
        stack = rnn.HybridSequentialRNNCell()
        stack.add(rnn.LSTMCell(3))
        stack.add(rnn.BidirectionalCell(rnn.GRUCell(2), rnn.RNNCell(3)))
        found.update(
            {f"{name} {key}": value for key, value in _unrolled(mx, stack, **options).items()}
        )
    return found


@program
def given_states(mx):
    """Return gradients of the initial states that are passed to a fused layer."""
    layer, found = mx.gluon.rnn.LSTM(3, num_layers=2, bidirectional=True), {}
    mx.random.seed(3)
    layer.initialize(mx.init.Uniform(0.5))
    states = [mx.nd.array(data(4, 2, 3, seed=i)) for i in (5, 6)]
    for state in states:
        state.attach_grad()
    with mx.autograd.record():
        out, after = layer(mx.nd.array(data(5, 2, 4)), states)
        loss = out.sum() + (after[0] * after[1]).sum()
    loss.backward()
    for i, state in enumerate(states):
        found.update({f"state {i}": after[i].asnumpy(), f"d{i}": state.grad.asnumpy()})
    return found


@program
def unrolled_with_lengths(mx):
    rnn = mx.gluon.rnn
    cell = rnn.BidirectionalCell(rnn.LSTMCell(3), rnn.LSTMCell(3))
    mx.random.seed(3)
    cell.initialize(mx.init.Uniform(0.5))
    out, states = cell.unroll(
        5,
        mx.nd.array(data(2, 5, 4)),
        layout="NTC",
        merge_outputs=True,
        valid_length=mx.nd.array([3, 5]),
    )
    return dict({"out": out.asnumpy()}, **{f"state {i}": s.asnumpy() for i, s in enumerate(states)})


# --- losses, training
# -----------------------------------------------------------------------------------------------------------


@program
def losses(mx):
    gluon, nd = mx.gluon, mx.nd
    pred, label = data(4, 5), data(4, 5, seed=1)
    classes, signs = np.array([0, 4, 2, 1], "float32"), np.sign(label)
    cases = {
        "l1": (gluon.loss.L1Loss(), pred, label),
        "l2": (gluon.loss.L2Loss(weight=0.3), pred, label),
        "bce": (gluon.loss.SigmoidBCELoss(), pred, (label > 0).astype("float32")),
        "ce": (gluon.loss.SoftmaxCELoss(), pred, classes),
        "ce dense": (gluon.loss.SoftmaxCELoss(sparse_label=False), pred, np.abs(label)),
        "kl": (gluon.loss.KLDivLoss(from_logits=False), pred, np.abs(label)),
        "huber": (gluon.loss.HuberLoss(rho=0.5), pred, label),
        "hinge": (gluon.loss.HingeLoss(), pred, signs),
        "squared hinge": (gluon.loss.SquaredHingeLoss(margin=0.5), pred, signs),
        "logistic": (gluon.loss.LogisticLoss(), pred, signs),
        "poisson": (gluon.loss.PoissonNLLLoss(), pred, np.abs(label)),
    }
    found = {}
    for name, (loss, x, y) in cases.items():
        x = nd.array(x)
        x.attach_grad()
        with mx.autograd.record():
            value = loss(x, nd.array(y))
        value.backward()
        found.update({name: value.asnumpy(), name + " gradient": x.grad.asnumpy()})
    return found


@program
def ctc(mx):
    nd = mx.nd
    loss = mx.gluon.loss.CTCLoss()
    x = nd.array(data(2, 6, 4) * 2)
    x.attach_grad()
    with mx.autograd.record():
        value = loss(x, nd.array([[0, 1, -1], [2, 2, 1]]))
    value.backward()
    return {"value": value.asnumpy(), "gradient": x.grad.asnumpy()}


@program
def optimizers(mx):
    nn, gluon = mx.gluon.nn, mx.gluon
    found = {}
    for name, options in {
        "sgd": {"learning_rate": 0.1},
        "sgd momentum": {"learning_rate": 0.1, "momentum": 0.9, "wd": 0.01},
        "nag": {"learning_rate": 0.1, "momentum": 0.9},
        "adam": {"learning_rate": 0.05, "wd": 0.01},
        "rmsprop": {"learning_rate": 0.05},
        "rmsprop centered": {"learning_rate": 0.05, "centered": True},
        "adagrad": {"learning_rate": 0.1},
        "sgd clipped": {"learning_rate": 0.1, "clip_gradient": 0.05},
    }.items():
        mx.random.seed(1)
        net = nn.HybridSequential()
        net.add(nn.Dense(6, activation="tanh"), nn.Dense(3))
        net.initialize(mx.init.Xavier())
        x, y = mx.nd.array(data(8, 4)), mx.nd.array([0, 1, 2, 0, 1, 2, 0, 1])
        net(x)
        trainer = gluon.Trainer(net.collect_params(), name.split()[0], options)
        for _ in range(5):
            with mx.autograd.record():
                loss = gluon.loss.SoftmaxCrossEntropyLoss()(net(x), y)
            loss.backward()
            trainer.step(8)
        for i, p in enumerate(net.collect_params().values()):
            found[f"{name} {i}"] = p.data().asnumpy()
    return found


@program
def schedules(mx):
    lr = mx.lr_scheduler
    made = {
        "factor": lr.FactorScheduler(3, 0.5, base_lr=1.0),
        "multi": lr.MultiFactorScheduler([2, 5], 0.1, base_lr=1.0),
        "poly": lr.PolyScheduler(8, base_lr=1.0, pwr=2),
        "cosine": lr.CosineScheduler(8, base_lr=1.0, final_lr=0.1, warmup_steps=2),
    }
    return {name: np.array([s(t) for t in range(1, 11)]) for name, s in made.items()}


# --- MXNet's stream, to the bit
# -------------------------------------------------------------------------------------------------


@exact
def initializers(mx):
    init, found = mx.init, {}
    for name, made in {
        "uniform": init.Uniform(0.3),
        "normal": init.Normal(0.2),
        "xavier": init.Xavier(),
        "xavier in": init.Xavier("gaussian", "in", 2),
        "msra": init.MSRAPrelu(),
        "constant": init.Constant(0.5),
        "bilinear": init.Bilinear(),
    }.items():
        mx.random.seed(17)
        array = mx.nd.zeros((3, 4, 5, 5))
        made(init.InitDesc("a_weight"), array)
        found[name] = array.asnumpy()
    return found


@exact
def a_network_initialized(mx):
    nn, found = mx.gluon.nn, {}
    for mode in ("deferred", "eager"):
        known = mode == "eager"
        net = nn.HybridSequential()
        net.add(
            nn.Conv2D(4, 3, in_channels=2 if known else 0),
            nn.BatchNorm(in_channels=4 if known else 0),
        )
        net.add(
            nn.Dense(7, in_units=36 if known else 0, bias_initializer=mx.init.Normal(1)),
            nn.Dense(70, in_units=7 if known else 0),
        )
        mx.random.seed(23)
        net.initialize(mx.init.Xavier())
        net(mx.nd.zeros((1, 2, 5, 5)))
        for i, p in enumerate(net.collect_params().values()):
            found[f"{mode} {i}"] = p.data().asnumpy()
    return found


@exact
def random_arrays(mx):
    mx.random.seed(5)
    random = mx.nd.random
    return {
        "uniform": random.uniform(-2, 3, shape=(130,)).asnumpy(),
        "normal": random.normal(1, 2, shape=(7, 20)).asnumpy(),
        "randn": random.randn(3, 4).asnumpy(),
        "randint": random.randint(0, 1000, shape=(50,)).asnumpy(),
        "uniform again": random.uniform(shape=(2,)).asnumpy(),
    }


@exact
def dropout(mx):
    mx.random.seed(8)
    layer = mx.gluon.nn.Dropout(0.4)
    with mx.autograd.record():
        return {
            "whole": layer(mx.nd.ones((9, 50))).asnumpy(),
            "again": layer(mx.nd.ones((3,))).asnumpy(),
        }


# --- files, both ways
# -----------------------------------------------------------------------------------------------------------


def _saved_network(mx):
    net = mx.gluon.nn.HybridSequential(prefix="net_")
    with net.name_scope():
        net.add(mx.gluon.nn.Dense(3, in_units=2), mx.gluon.nn.BatchNorm(in_channels=3))
    return net


@exact
def files(mx):
    """Write files for the other framework. The test makes each framework read the other's files."""
    mx.random.seed(2)
    net = _saved_network(mx)
    net.initialize(mx.init.Normal(1))
    net.save_parameters("own.params")
    mx.nd.save(
        "own.nd", {"h": mx.nd.array([1, 2], dtype="float16"), "i": mx.nd.array([3], dtype="int32")}
    )
    other = "../mxnet/own" if os.path.basename(os.getcwd()) == "engine" else "../engine/own"
    found = {}
    if os.path.exists(other + ".params"):
        read = _saved_network(mx)
        read.load_parameters(other + ".params")
        found.update(
            {name: p.data().asnumpy() for name, p in read._collect_params_with_prefix().items()}
        )
        found.update({name: array.asnumpy() for name, array in mx.nd.load(other + ".nd").items()})
    else:
        found.update(
            {name: p.data().asnumpy() for name, p in net._collect_params_with_prefix().items()}
        )
        found.update({name: array.asnumpy() for name, array in mx.nd.load("own.nd").items()})
    return found


def main(name, out, folder, programs=PROGRAMS):
    os.makedirs(folder, exist_ok=True)
    os.chdir(folder)
    if name == "mxnet":
        np.bool = bool  # MXNet 1.9.1 asks NumPy for a name that newer ones lack
        import mxnet as mx
    else:
        import initlab.engine as mx

        mx.random.use("mxnet-1.9.1")
    found = {}
    for label, function in programs.items():
        try:
            for key, value in function(mx).items():
                found[f"{label}/{key}"] = value
        except Exception as error:  # noqa: BLE001
            found[f"{label}/raised"] = np.array(f"{type(error).__name__}: {str(error)[:300]}")
    np.savez(out, **found)


if __name__ == "__main__":
    main(*sys.argv[1:])
