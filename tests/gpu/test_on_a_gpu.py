"""What only a real GPU can show: the kernels' bits, ops to their tolerances, a whole run. Skipped
where there is none.
"""

from __future__ import annotations

import json
import math

import nd_cases
import numpy as np
import pytest
from one_pass import mixed, text
from op_cases import cases, joined

from initlab.engine import autograd, gluon, init, laws, nd, streams
from initlab.engine.device import cpu, from_host, gpu, is_shortage, num_gpus, to_host
from initlab.engine.gluon import nn
from initlab.engine.streams import Key, cuda, distribution
from initlab.runner.cli import run_command
from initlab.runner.stats import onepass

pytestmark = pytest.mark.skipif(num_gpus() == 0, reason="no gpu(0)")
KINDS = {
    "uniform": distribution.uniform(-0.07, 0.07),
    "normal": distribution.normal(0.5, 0.02),
    "truncated": distribution.truncated_normal(0.0, 1.0, -2.0, 2.0),
    "uniform64": distribution.uniform(-0.07, 0.07, wide=True),
    "normal64": distribution.normal(0.5, 0.02, wide=True),
    "truncated64": distribution.truncated_normal(0.0, 1.0, -2.0, math.inf, wide=True),
}
TOLERANCE = {"float16": 4e-3, "float32": 2e-5, "float64": 1e-12}
"""Of an output of some layers, relative to its largest element: sums in another order, and
libraries' own functions.
"""


@pytest.mark.slow
@pytest.mark.parametrize("name", KINDS)
def test_a_hundred_million_elements_have_the_bits_of_the_cpu(name):
    kind, key, count = KINDS[name], Key(11, "gpu"), 100_000_000
    there = gpu(0).use().empty(count, kind.dtype)
    cuda.fill(gpu(0), [(kind, key, 3, there)])
    for start in range(0, count, 10_000_000):
        here = np.empty(10_000_000, kind.dtype)
        streams.draw_many([(kind, key, 3 + start, here)])
        assert to_host(there[start : start + here.size], gpu(0)).tobytes() == here.tobytes(), start


def test_the_check_fails_on_one_element_that_is_off():
    here = streams.normal(Key(11, "gpu"), 0, 1000, 0.5, 0.02)
    there = gpu(0).use().empty(1000, np.float32)
    cuda.fill(gpu(0), [(KINDS["normal"], Key(11, "gpu"), 0, there)])
    there[500] = float(np.nextafter(here[500], np.float32(9)))
    assert int((to_host(there, gpu(0)) != here).sum()) == 1


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize(
    "law", [laws.Uniform(-3, 3), laws.Normal(0, 0.02), laws.TruncatedNormal(0, 1e-5)], ids=str
)
def test_a_law_draws_the_bits_of_the_cpu_in_every_dtype(law, dtype):
    key, shape = Key(5, "law"), (1001, 999)
    there = law.draw_on(gpu(0), key, shape, dtype)
    assert to_host(there, gpu(0)).tobytes() == law.draw(key, shape, dtype).tobytes()


@pytest.mark.parametrize(("name", "args", "attributes"), cases())
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_primitive_agrees_with_the_cpu_forward_and_back(name, args, attributes, dtype):
    found = []
    for device in (cpu(), gpu(0)):
        boxes = [
            nd.array(a, ctx=device, dtype=dtype) if isinstance(a, np.ndarray) else a for a in args
        ]
        moved = {k: on(v, device, dtype) for k, v in attributes.items()}
        variables = [box for box in boxes if isinstance(box, nd.NDArray)]
        for box in variables:
            box.attach_grad()
        with autograd.record(), np.errstate(all="ignore"):
            out = joined(name)(*boxes, **moved)
        out.backward()
        found.append(
            [a.asnumpy().astype(np.float64) for a in (out, *(box.grad for box in variables))]
        )
    for here, there in zip(*found, strict=True):
        close(here, there, dtype)


def on(value, device, dtype):
    """An attribute with its arrays on the device; floating ones in the dtype."""
    if isinstance(value, tuple):
        return tuple(on(part, device, dtype) for part in value)
    if not isinstance(value, np.ndarray):
        return value
    return from_host(value.astype(dtype) if value.dtype.kind == "f" else value, device)


def close(here, there, dtype):
    """Equal where not finite, else within the tolerance."""
    finite = np.isfinite(here)
    np.testing.assert_array_equal(np.where(finite, 0, here), np.where(np.isfinite(there), 0, there))
    largest = np.abs(here[finite]).max(initial=1.0)
    assert np.abs(here - there)[finite].max(initial=0.0) <= TOLERANCE[dtype] * largest


@pytest.mark.parametrize(
    "number", range(len(nd_cases.CASES)), ids=lambda n: f"{n}-{nd_cases.CASES[n][0]}"
)
def test_every_function_of_nd_agrees_with_the_cpu(number):
    with np.errstate(all="ignore"):
        here = nd_cases.run(nd, autograd, *nd_cases.CASES[number])
        with gpu(0):
            there = nd_cases.run(nd, autograd, *nd_cases.CASES[number])
    for name, values in here.items():
        assert there[name].dtype == values.dtype
        close(
            values.astype(np.float64),
            there[name].astype(np.float64),
            "float16" if values.dtype == np.float16 else "float32",
        )


def test_draws_in_order_and_dropout_have_the_bits_of_the_cpu():
    found = []
    for device in (cpu(), gpu(0)):
        streams.seed(4)
        made = [
            nd.random.normal(0, 1, shape=(1001,), ctx=device),
            nd.random.uniform(-1, 2, shape=(3, 5), ctx=device, dtype="float64"),
        ]
        made.append(nd.Dropout(nd.ones((50, 50), ctx=device), p=0.3, mode="always"))
        found.append([a.asnumpy().tobytes() for a in made])
    assert found[0] == found[1]


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "bfloat16"])
@pytest.mark.parametrize("size", [1, 511, 70_000, 3_000_001])
def test_statistics_have_the_bits_of_the_cpu(dtype, size):
    values = mixed(dtype, size) if size > 1000 else mixed(dtype, 5000)[:size]
    try:
        there = from_host(values, gpu(0))
    except (TypeError, ValueError) as error:
        pytest.skip(f"CuPy has no {dtype} here: {error}")
    assert text(onepass.cuda.summarize(there, gpu(0))) == text(onepass.summarize(values))


def test_statistics_of_elements_that_do_not_lie_side_by_side_have_the_bits_of_the_cpu():
    values = mixed("float32", 600_000).reshape(600, 1000)
    there = from_host(values, gpu(0))
    for part in (np.s_[::2, 3:], np.s_[:, ::-1], np.s_[7]):
        found = onepass.cuda.summarize(there[part], gpu(0))
        assert text(found) == text(onepass.summarize(np.ascontiguousarray(values[part])))
    assert text(onepass.cuda.summarize(there.T, gpu(0))) == text(onepass.summarize(values.T))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["normal", "normal64"])
def test_statistics_of_a_hundred_million_elements_have_the_bits_of_the_cpu(name):
    count = 100_000_000
    there = cuda.draw(gpu(0), KINDS[name], Key(11, "gpu"), 0, count, KINDS[name].dtype)
    found = onepass.cuda.summarize(there, gpu(0))
    assert text(found) == text(onepass.summarize(to_host(there, gpu(0))))
    assert text(found) == text(onepass.cuda.summarize(there, gpu(0)))


def test_a_run_with_a_large_tensor_has_the_figures_of_the_cpu(only_run):
    words = ["init=normal", "stats=[moments,law,histogram]", "probe=none", "model.input=[2000]"]
    words.append("model.layers.0.units=1000")
    tables = [
        json.loads((only_run(*words, *more) / "stats.json").read_text())["parameters"]
        for more in ([], ["device=gpu"])
    ]
    assert tables[0] == tables[1]


def test_memory_that_is_used_up_is_told_as_such():
    with pytest.raises((MemoryError, RuntimeError)) as caught:
        gpu(0).use().empty(2**50, np.float32)
    assert is_shortage(caught.value)


def test_replicas_train_as_one_on_several_gpus():
    if num_gpus() < 2:
        pytest.skip("there is one GPU here only")
    trained = []
    for places in ([gpu(0)], [gpu(0), gpu(1)]):
        streams.seed(6)
        net = nn.Dense(3, in_units=5, prefix="d_")
        net.initialize(init.Xavier(), ctx=places)
        trainer = gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": 0.1})
        parts = gluon.utils.split_and_load(np.random.default_rng(0).normal(size=(8, 5)), places)
        with autograd.record():
            losses = [(net(x) ** 2).sum() for x in parts]
        autograd.backward(losses)
        trainer.step(8)
        trained += [data.asnumpy() for data in net.weight.list_data()]
    for values in trained[1:]:
        close(trained[0], values, "float32")


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("layers", ["dense", "conv", "lstm"])
def test_layers_forward_and_back_agree_with_the_cpu(dtype, layers):
    found = []
    for device in (cpu(), gpu(0)):
        streams.seed(3)
        net, shape = {
            "dense": (nn.Sequential(prefix="net_"), (8, 20)),
            "conv": (nn.Sequential(prefix="net_"), (4, 3, 12, 12)),
            "lstm": (gluon.rnn.LSTM(16, num_layers=2, prefix="net_"), (5, 4, 8)),
        }[layers]
        if layers == "dense":
            net.add(nn.Dense(32, activation="tanh"), nn.LayerNorm(), nn.Dense(5))
        elif layers == "conv":
            net.add(
                nn.Conv2D(6, 3, activation="relu"),
                nn.BatchNorm(),
                nn.MaxPool2D(),
                nn.Flatten(),
                nn.Dense(5),
            )
        net.cast(dtype)
        net.initialize(init.Xavier(), ctx=device)
        x = nd.array(np.random.default_rng(0).normal(size=shape), ctx=device, dtype=dtype)
        x.attach_grad()
        with autograd.record():
            y = net(x)
            loss = (y * y).sum()
        loss.backward()
        found.append([a.asnumpy().astype(np.float64) for a in (y, x.grad)])
    for here, there in zip(*found, strict=True):
        close(here, there, dtype)


@pytest.mark.parametrize(
    "words",
    [["init=normal"], ["init=xavier", "dtype=float16"], ["init=truncated_normal", "dtype=float64"]],
    ids=" ".join,
)
def test_a_run_has_the_digests_of_the_cpu(words, only_run):
    here, there = (
        only_run(*words, "probe=backward"),
        only_run(*words, "probe=backward", "device=gpu"),
    )
    digests = [
        json.loads((folder / "manifest.json").read_text())["digests"] for folder in (here, there)
    ]
    assert digests[0] == digests[1]
    assert run_command(["verify", str(there)]) == 0
