"""torch 2.13's own stream, against what torch drew (tests/vectors/record_torch_stream.py)."""

from __future__ import annotations

import hashlib
import json
import math
import threading
from pathlib import Path

import numpy as np
import pytest

from initlab.engine import init, laws, nd, random, streams
from initlab.engine.errors import StreamError
from initlab.engine.gluon import nn
from initlab.engine.streams.torch_stream import TorchStream

VECTORS = json.loads(
    (Path(__file__).parents[2] / "vectors" / "torch-stream.json").read_text(encoding="utf-8")
)
ROWS = [pytest.param(*row, id=f"{row[0]}{row[1]}-{row[2]}") for row in VECTORS["rows"]]


@pytest.fixture
def torch_numbers():
    random.use("torch-2.13")
    random.seed(0)
    yield
    random.use("initlab-1")
    random.seed(0)


@pytest.mark.parametrize(("kind", "options", "seed", "expected"), ROWS)
def test_every_draw_has_the_bits_that_torch_drew(kind, options, seed, expected):
    stream, digest = TorchStream(seed), hashlib.sha256()
    for size in VECTORS["sizes"]:
        digest.update(getattr(stream, kind)(*options, size).tobytes())
    assert digest.hexdigest() == expected


def test_some_of_the_numbers_that_torch_prints():
    """torch.manual_seed(0); torch.rand(3); torch.randn(2); torch.randn(16)"""
    stream = TorchStream(0)
    assert [f"{u:.4f}" for u in stream.uniform(0, 1, 3)] == ["0.4963", "0.7682", "0.0885"]
    assert [f"{z:.4f}" for z in TorchStream(0).normal(0, 1, 3)] == ["1.5410", "-0.2934", "-2.1788"]
    assert f"{TorchStream(0).normal(0, 1, 16)[0]:.4f}" == "-1.1258"


def test_values_lie_at_or_above_the_lower_and_below_the_upper_bound():
    """A product that rounds to the upper bound becomes the lower one, as in torch."""
    low, high = 1.0, float(np.nextafter(np.float32(1), np.float32(2)))
    assert set(TorchStream(0).uniform(low, high, 1000)) == {np.float32(low)}


def test_the_seed_counts_modulo_two_to_the_32nd():
    assert (TorchStream(7 + 2**32).normal(0, 1, 5) == TorchStream(7).normal(0, 1, 5)).all()


def test_an_unseeded_thread_starts_at_seed_zero(torch_numbers):
    random.seed(7)
    drawn = []
    thread = threading.Thread(target=lambda: drawn.append(nd.random.uniform(shape=2).asnumpy()))
    thread.start()
    thread.join()
    assert (drawn[0] == TorchStream(0).uniform(0, 1, 2)).all()
    assert (nd.random.uniform(shape=2).asnumpy() == TorchStream(7).uniform(0, 1, 2)).all()


def test_initializers_draw_in_the_order_they_are_asked(torch_numbers):
    net = nn.Sequential()
    net.add(nn.Dense(3, in_units=4), nn.Dense(5, in_units=3))
    net.initialize(init.Normal(0.1))
    stream = TorchStream(0)
    for layer in net:
        weight = layer.weight.data().asnumpy()
        assert (weight == stream.normal(0, 0.1, weight.size).reshape(weight.shape)).all()


def test_a_truncated_normal_is_torchs_and_refused_by_mxnets_stream(torch_numbers):
    layer = nn.Dense(8, in_units=50)
    layer.initialize(init.TruncatedNormal(0.02))
    wanted = TorchStream(0).truncated_normal(0.0, 0.02, -2.0, 2.0, 400)
    assert (layer.weight.data().asnumpy().ravel() == wanted).all()
    assert abs(wanted).max() <= np.float32(0.04)
    with pytest.raises(StreamError, match="which has uniform and normal values only"):
        laws.TruncatedNormal(0.0, 1.0).check_stream("mxnet-1.9.1")


def test_a_cut_that_torch_draws_in_another_way_is_refused():
    with pytest.raises(StreamError, match="of which 2% lies between the bounds is not specified"):
        laws.TruncatedNormal(0.0, 1.0, 2.0, math.inf).check_stream("torch-2.13")
    with pytest.raises(StreamError, match="use wider bounds, or stream initlab-1"):
        TorchStream(0).truncated_normal(0.0, 1.0, 2.0, 3.0, 5)


def test_a_law_that_goes_through_lapack_is_refused(torch_numbers):
    said = (
        "cannot be drawn from stream torch-2.13, which has uniform, normal and truncated normal "
        "values only - use initlab-1"
    )
    with pytest.raises(StreamError, match=said):
        nn.Dense(2, in_units=2).initialize(init.by_name("orthogonal")())
    with pytest.raises(StreamError, match=said):
        laws.Haar(1.0).check_stream("torch-2.13")


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_other_types_are_refused(dtype, torch_numbers):
    for draw in (TorchStream(0).uniform, TorchStream(0).normal):
        with pytest.raises(StreamError, match=f"dtype {dtype} are not specified in torch's stream"):
            draw(0.0, 1.0, 3, dtype)
    with pytest.raises(StreamError, match="not specified"):
        nn.Dense(2, in_units=2, dtype=dtype).initialize()


def test_distributions_without_torchs_bits_are_refused(torch_numbers):
    for draw in (nd.random.gamma, nd.random.exponential, nd.random.poisson):
        with pytest.raises(StreamError, match="not specified yet in stream torch-2.13"):
            draw(shape=(2,))


def test_dropouts_masks_are_made_of_the_generators_uniform_numbers():
    kept = TorchStream(3).keep(0.25, 1000)
    assert (kept == (TorchStream(3).uniform(0, 1, 1000) < 0.25)).all()


def test_the_stream_lists_what_it_draws():
    assert streams.DTYPES["torch-2.13"] == ("float32",)
    assert streams.LAWS["torch-2.13"] == ("uniform", "normal", "truncated_normal")
