"""The names of classes and functions are true: each is found in the module and under the name that it
gives, so that networks are copied and pickled like other objects.
"""

from __future__ import annotations

import copy
import importlib
import inspect
import pickle
import pkgutil
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

import initlab.engine as mx
from initlab.engine import gluon, nd
from initlab.engine.gluon import nn, rnn


def named() -> Iterator[tuple[str, object]]:
    """Yield the classes and functions of the engine that have public names."""
    for found in pkgutil.walk_packages(mx.__path__, "initlab.engine."):
        for name, value in vars(importlib.import_module(found.name)).items():
            ours = str(getattr(value, "__module__", "")).startswith("initlab.engine")
            if ours and not name.startswith("_") and (inspect.isclass(value) or callable(value)):
                yield f"{found.name}.{name}", value


def is_found(value: object) -> bool:
    """Return whether the name that a class or function gives leads to it."""
    target: object = importlib.import_module(value.__module__)
    for part in value.__qualname__.split("."):  # type: ignore[attr-defined]
        target = getattr(target, part, None)
    return target is value


def test_every_class_and_every_function_of_arrays_is_where_it_says():
    wrong = {
        name
        for name, value in named()
        if (inspect.isclass(value) or value in nd.OPERATORS.values()) and not is_found(value)
    }
    assert wrong == set()
    primitives = mx.autograd.PRIMITIVES.values()
    assert [p for p in primitives if not is_found(p)] == []


def pickled(value: Any) -> Any:
    return pickle.loads(pickle.dumps(value))  # noqa: S301


def network() -> nn.Sequential:
    net = nn.Sequential()
    net.add(
        nn.Dense(3, activation="relu"),
        nn.BatchNorm(),
        nn.HybridLambda("relu"),
        nn.Lambda(nd.sigmoid),
        nn.LeakyReLU(0.1),
    )
    return net


@pytest.mark.parametrize("again", [pickled, copy.deepcopy], ids=["pickle", "deepcopy"])
def test_a_network_is_copied_with_its_values(again):
    net = network()
    net.initialize(mx.init.Xavier())
    x = nd.ones((2, 4))
    out = net(x)
    other = again(net)
    assert other(x).tolist() == out.tolist()
    with mx.autograd.record():
        loss = other(x).sum()
    loss.backward()
    assert other[0].weight.grad().shape == (3, 4)
    assert other[0].weight.data() is not net[0].weight.data()
    trainer = again(gluon.Trainer(net.collect_params(), "adam"))
    assert trainer.optimizer.epsilon == 1e-8


def test_a_network_that_waits_for_shapes_still_waits_when_it_is_copied():
    net = network()
    net.initialize()
    other = pickled(net)
    assert other(nd.ones((2, 4))).shape == (2, 3)
    layer = rnn.LSTM(3, input_size=2)
    assert repr(pickled(layer)) == repr(layer)


def test_modules_have_the_names_that_mxnets_have():
    from initlab.engine.gluon.parameter import (
        Constant,
        DeferredInitializationError,
        ParameterDict,
        tensor_types,
    )

    assert ParameterDict is gluon.ParameterDict
    assert Constant is gluon.Constant
    assert issubclass(DeferredInitializationError, mx.MXNetError)
    assert nd.NDArray in tensor_types


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda: mx.init.Kaiming, "'initlab.engine.init' has no attribute 'Kaiming' - did you mean He or MSRAPrelu?"),
        (lambda: mx.init.Xavire, "did you mean Xavier?"),
        (lambda: nn.Linear, "'initlab.engine.gluon.nn' has no attribute 'Linear' - did you mean Dense?"),
        (lambda: nn.Conv2d, "did you mean Conv2D?"),
        (lambda: nn.BatchNorm2d, "did you mean BatchNorm?"),
        (lambda: gluon.loss.MSELoss, "did you mean L2Loss?"),
        (lambda: rnn.LSTMcell, "did you mean LSTMCell?"),
        (lambda: nd.zeroz, "did you mean zeros?"),
        (lambda: nd.contrib.boxiou, "did you mean box_iou?"),
        (lambda: nd.random.unifrom, "did you mean uniform?"),
        (lambda: nd.linalg.inverze, "did you mean inverse?"),
        (lambda: mx.metric.Acuracy, "did you mean Accuracy?"),
        (lambda: mx.optimizer.SGDD, "did you mean SGD?"),
        (lambda: mx.gluon.Bloc, "did you mean Block?"),
        (lambda: mx.gluon.data.vision.Mnist, "did you mean MNIST?"),
        (lambda: mx.autogrd, "did you mean autograd?"),
    ],
)  # fmt: skip
def test_a_name_that_is_not_there_gets_the_nearest_or_that_of_another_library(ask, said):
    with pytest.raises(AttributeError) as caught:
        ask()
    assert str(caught.value).endswith(said)


def test_a_name_like_no_other_gets_none():
    with pytest.raises(AttributeError, match=r"has no attribute 'qqq'$"):
        nn.qqq  # noqa: B018
    with pytest.raises(AttributeError, match=r"has no attribute '__wrapped__'$"):
        nn.__wrapped__  # noqa: B018


MODULES = """
gluon.block.Block gluon.trainer.Trainer gluon.parameter.Parameter gluon.nn.activations.Activation
gluon.nn.basic_layers.Dense gluon.nn.conv_layers.Conv2D gluon.rnn.rnn_cell.LSTMCell gluon.rnn.rnn_layer.LSTM
gluon.contrib.data.sampler.IntervalSampler gluon.contrib.rnn.rnn_cell.LSTMPCell
gluon.contrib.nn.basic_layers.SyncBatchNorm optimizer.optimizer.SGD metric.ndarray.NDArray contrib.amp.amp.init
"""


def test_mxnets_modules_are_there_without_an_import_of_their_own():
    lines = "\n".join(f"mx.{name}" for name in MODULES.split())
    code = f"import initlab.engine as mx\n{lines}\nassert not mx.contrib.amp.amp._amp_initialized"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
