"""What every probe measures of layers: moments, before and after activations, in order."""

from __future__ import annotations

import numpy as np
import pytest

from initlab.engine import init, nd
from initlab.engine.gluon import nn
from initlab.runner.probes.base import Probe
from initlab.runner.probes.watching import LAYER_COLUMNS, moments, watch


def test_moments_are_those_of_numpy():
    x = np.array([[0.0, 3.0], [-1.0, 0.0]], np.float32)
    assert moments(x) == pytest.approx(
        {"mean": 0.5, "variance": x.var(), "rms": np.sqrt(10 / 4), "zeros": 0.5}
    )


@pytest.fixture
def layers():
    net = {"a": nn.Dense(4, activation="relu", in_units=3), "b": nn.Dense(2, in_units=4)}
    for layer in net.values():
        layer.initialize(init.Normal(1))
    return net


def test_a_row_a_call_in_the_order_of_execution_with_the_rms_before_the_activation(layers):
    rows: list[dict] = []
    x = nd.ones((5, 3))
    with watch(layers, rows):
        layers["b"](layers["a"](x))
    assert [(row["path"], row["shape"]) for row in rows] == [("a", [5, 4]), ("b", [5, 2])]
    assert set(rows[0]) == {"path", *LAYER_COLUMNS}
    before = nd.dot(x, layers["a"].weight.data().T).asnumpy() + layers["a"].bias.data().asnumpy()
    assert rows[0]["pre_rms"] == pytest.approx(np.sqrt(np.square(before).mean()), rel=1e-5)
    assert rows[1]["pre_rms"] is None and rows[0]["rms_ratio"] is None
    assert rows[1]["rms_ratio"] == pytest.approx(rows[1]["rms"] / rows[0]["rms"])


def test_nothing_is_watched_after_the_end_even_of_an_error(layers):
    rows: list[dict] = []
    with pytest.raises(ZeroDivisionError), watch(layers, rows):
        raise ZeroDivisionError
    layers["a"](nd.ones((5, 3)))
    assert rows == []


def test_a_probe_without_a_measure_says_so():
    with pytest.raises(NotImplementedError, match="defines no measure"):
        Probe().measure(None)
