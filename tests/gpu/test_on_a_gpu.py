"""What only a real GPU can show: the kernels' bits, ops to their tolerances, a whole run. Skipped where there is none."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from engine import autograd, gluon, init, nd, streams
from engine.device import cpu, gpu, gpu_problem
from engine.gluon import nn
from engine.streams import Key, Piece, cuda, distribution
from runner import verify

PROBLEM = gpu_problem(0)
pytestmark = pytest.mark.skipif(PROBLEM is not None, reason=f"no gpu(0): {PROBLEM}")
KINDS = {
    "uniform": distribution.uniform(-0.07, 0.07),
    "normal": distribution.normal(0.5, 0.02),
    "truncated": distribution.truncated_normal(0.0, 1.0, -2.0, 2.0),
    "uniform64": distribution.uniform(-0.07, 0.07, wide=True),
    "normal64": distribution.normal(0.5, 0.02, wide=True),
    "truncated64": distribution.truncated_normal(0.0, 1.0, -2.0, math.inf, wide=True),
}
TOLERANCE = {"float16": 4e-3, "float32": 2e-5, "float64": 1e-12}
"""Of an output of some layers, relative to its largest element: sums in another order, and libraries' own functions."""


@pytest.mark.parametrize("name", KINDS)
def test_a_hundred_million_elements_have_the_bits_of_the_cpu(name):
    kind, key, count = KINDS[name], Key(11, "gpu"), 100_000_000
    there = gpu(0).xp.empty(count, kind.dtype)
    cuda.fill(gpu(0), [Piece(kind, key, 3, there)])
    for start in range(0, count, 10_000_000):
        here = np.empty(10_000_000, kind.dtype)
        streams.draw_many([Piece(kind, key, 3 + start, here)])
        assert there[start : start + here.size].get().tobytes() == here.tobytes(), start


def test_the_check_fails_on_one_element_that_is_off():
    there = gpu(0).xp.empty(1000, np.float32)
    cuda.fill(gpu(0), [Piece(KINDS["normal"], Key(11, "gpu"), 0, there)])
    there[500] = gpu(0).xp.nextafter(there[500], there[500] * 2)
    here = streams.normal(Key(11, "gpu"), 0, 1000, 0.5, 0.02)
    assert int((there.get() != here).sum()) == 1


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("layers", ["dense", "conv", "lstm"])
def test_layers_forward_and_back_agree_with_the_cpu(dtype, layers):
    found = []
    for device in (cpu(), gpu(0)):
        streams.seed(3)
        net, shape = {
            "dense": (nn.Sequential(), (8, 20)),
            "conv": (nn.Sequential(), (4, 3, 12, 12)),
            "lstm": (gluon.rnn.LSTM(16, num_layers=2), (5, 4, 8)),
        }[layers]
        if layers == "dense":
            net.add(nn.Dense(32, activation="tanh"), nn.LayerNorm(), nn.Dense(5))
        elif layers == "conv":
            net.add(nn.Conv2D(6, 3, activation="relu"), nn.BatchNorm(), nn.MaxPool2D(), nn.Flatten(), nn.Dense(5))
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
        assert np.abs(here - there).max() <= TOLERANCE[dtype] * max(1.0, np.abs(here).max())


@pytest.mark.parametrize(
    "words", [["init=normal"], ["init=xavier", "dtype=float16"], ["init=truncated_normal", "dtype=float64"]], ids=" ".join
)
def test_a_run_has_the_digests_of_the_cpu(words, only_run):
    here, there = only_run(*words, "probe=backward"), only_run(*words, "probe=backward", "device=gpu")
    digests = [json.loads((folder / "manifest.json").read_text())["digests"] for folder in (here, there)]
    assert digests[0] == digests[1]
    assert verify.main([str(there)]) == 0
