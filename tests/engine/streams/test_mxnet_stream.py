"""MXNet 1.9.1's own stream, against what MXNet drew."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from initlab.engine import autograd, init, laws, nd, random, streams
from initlab.engine.errors import StreamError
from initlab.engine.gluon import nn
from initlab.engine.streams.mxnet_stream import MXNetStream

ROOT = Path(__file__).parents[3]


ROWS = json.loads((ROOT / "tests" / "vectors" / "mxnet-stream.json").read_text(encoding="utf-8"))[
    "rows"
]


@pytest.fixture
def mxnet():
    random.use("mxnet-1.9.1")
    random.seed(0)
    yield
    random.use("initlab-1")
    random.seed(0)


def draw(kind: str, size: int) -> nd.NDArray:
    """What each kind of row was drawn by."""
    if kind == "d":
        with autograd.train_mode():
            return nd.Dropout(nd.ones((size,)), p=0.3)
    dtype = {"16": "float16", "32": "float32", "64": "float64"}[kind[1:]]
    if kind[0] == "u":
        return nd.random.uniform(
            -0.07, 0.07 if dtype == "float32" else 3, shape=(size,), dtype=dtype
        )
    if kind[0] == "n":
        return nd.random.normal(0.5, 0.01, shape=(size,), dtype=dtype)
    return nd.random.randint(
        -7, 1000 if kind == "i32" else 2**40, shape=(size,), dtype=f"int{kind[1:]}"
    )


@pytest.mark.parametrize("seed", [0, -5])
def test_every_draw_has_the_bits_that_mxnet_drew(seed, mxnet):
    random.seed(seed)
    for kind, _, size, expected in (row for row in ROWS if row[1] == seed):
        values = draw(kind, size).asnumpy()
        assert hashlib.sha256(values.tobytes()).hexdigest() == expected, (kind, size)


def test_an_unseeded_process_told_by_the_environment_is_seed_zero():
    script = "from initlab.engine import nd; print(nd.random.uniform(shape=3).asnumpy().tolist())"
    environment = {**os.environ, "ENGINE_STREAM": "mxnet-1.9.1"}
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == str(MXNetStream(0).uniform(0, 1, 3).tolist())


def test_a_new_thread_starts_at_seed_zero_and_is_not_seeded_by_another(mxnet):
    random.seed(7)
    drawn = []
    thread = threading.Thread(target=lambda: drawn.append(nd.random.uniform(shape=2).asnumpy()))
    thread.start()
    thread.join()
    assert (drawn[0] == MXNetStream(0).uniform(0, 1, 2)).all()
    assert (nd.random.uniform(shape=2).asnumpy() == MXNetStream(7).uniform(0, 1, 2)).all()


def test_initializers_draw_in_the_order_they_are_asked_and_forget_their_paths(mxnet):
    net = nn.Sequential()
    net.add(nn.Dense(3, in_units=4), nn.Dense(2, in_units=3))
    net.initialize(init.Normal(0.1))
    bank = MXNetStream(0)
    assert (net[0].weight.data().asnumpy() == bank.normal(0, 0.1, 12).reshape(3, 4)).all()
    assert (net[1].weight.data().asnumpy() == bank.normal(0, 0.1, 6).reshape(2, 3)).all()


def test_a_law_that_mxnet_lacks_is_refused(mxnet):
    with pytest.raises(
        StreamError,
        match=r"TruncatedNormal.* cannot be drawn from stream mxnet-1.9.1, which has uniform and normal values only",
    ):
        nn.Dense(2, in_units=2).initialize(init.TruncatedNormal(0.1))
    laws.Custom("Mine").check_stream("mxnet-1.9.1")
    laws.Normal(0, 1).check_stream("mxnet-1.9.1")
    with pytest.raises(StreamError):
        laws.Haar(1.0).check_stream("mxnet-1.9.1")
    assert laws.Constant(2).draw_from(streams.current(), (2,)).tolist() == [2, 2]


def test_the_other_variate_gives_the_articles_normal_row():
    bank = MXNetStream(0, "x")
    bank.uniform(0, 1, 0)
    engine = bank._engine(0)
    engine.take(5444)
    row = bank._polar(engine, 20, False) * np.float32(0.01)
    printed = [
        0.00454064,
        -0.00097203,
        0.00402088,
        -0.00739811,
        0.00281988,
        0.00965765,
        -0.00093962,
        -0.00144071,
        0.00085085,
        -0.01153225,
    ]
    assert np.allclose(row[:10], printed, rtol=0, atol=5e-9)


def test_an_empty_draw_moves_nothing(mxnet):
    streams.current().uniform(0, 1, 0)
    assert (nd.random.uniform(shape=2).asnumpy() == MXNetStream(0).uniform(0, 1, 2)).all()


@pytest.mark.parametrize("draw", ["uniform", "normal"])
@pytest.mark.parametrize(("dtype", "code"), [("int32", "4"), ("int64", "6"), ("bfloat16", "12")])
def test_types_that_mxnet_has_no_random_values_of_are_refused_in_its_words(draw, dtype, code):
    with pytest.raises(
        StreamError,
        match=f"Output type must be float16, float32, float64: dtype is {code} vs 2 or 0 or 1",
    ):
        getattr(MXNetStream(0), draw)(0.0, 1.0, 3, dtype)
    with streams.using("mxnet-1.9.1"), pytest.raises(StreamError, match=f"dtype is {code} vs"):
        init.Uniform()(init.InitDesc("w_weight"), nd.zeros((2,), dtype=dtype))
