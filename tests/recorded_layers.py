"""Layers recorded from real MXNet 1.9.1: parameters, printed forms, shapes, outputs, gradients,
running statistics.

The tests of each layer module run these checks on its layers. `mxnet-layer-kinds.json` lists the
layers with MXNet's texts and shapes, `mxnet-layer-kinds.npz` holds the arrays.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from initlab.engine import autograd, init, nd, streams
from initlab.engine.gluon import nn
from initlab.engine.gluon.contrib import nn as contrib
from initlab.engine.ops.activation import SELU_ALPHA, SELU_SCALE

FOLDER = Path(__file__).parent / "vectors"
ARRAYS = np.load(FOLDER / "mxnet-layer-kinds.npz", allow_pickle=False)
ROWS = list(enumerate(json.loads((FOLDER / "mxnet-layer-kinds.json").read_text(encoding="utf-8"))))


def class_of(row):
    """Return the layer's class."""
    place = contrib if row["name"].startswith("contrib.") else nn
    return getattr(place, row["name"].rpartition(".")[2])


def rows_of(module):
    """Return the recorded layers whose class a module defines, e.g. "conv"."""
    return [(i, row) for i, row in ROWS if class_of(row).__module__.rpartition(".")[2] == module]


def make(row, prefix="a_"):
    """Return the layer with MXNet's options."""
    tuples = lambda value: tuple(value) if isinstance(value, list) else value  # noqa: E731
    options = {key: tuples(value) for key, value in row["options"].items()}
    options |= {} if "PixelShuffle" in row["name"] else {"prefix": prefix}
    return class_of(row)(*map(tuples, row["args"]), **options)


def filled(number, row):
    """Return the layer with MXNet's values."""
    layer = make(row)
    layer.output_shape(tuple(row["input"]))
    layer.initialize()
    for name, parameter in layer.collect_params().items():
        parameter.set_data(nd.array(ARRAYS[f"{number}_p_{name}"]))
    return layer


def check_parameters_and_print(number, row):
    """Check that a new layer has MXNet's parameters and printed form."""
    layer = make(row)
    found = [
        {
            "name": name,
            "shape": list(p.shape),
            "grad_req": p.grad_req,
            "differentiable": p._differentiable,
        }
        for name, p in layer.collect_params().items()
    ]
    assert found == row["parameters"]
    assert repr(layer) == row["repr"]
    assert layer._alias() == row["alias"]


def check_shapes(number, row):
    """Check that the inferred shapes are MXNet's."""
    layer = make(row)
    shape = layer.output_shape(tuple(row["input"]))
    assert [list(p.shape) for p in layer.collect_params().values()] == row["shapes_after"]
    assert repr(layer) == row["repr_after"]
    if row["computes"]:
        assert shape == ARRAYS[f"{number}_y"].shape


def check_computes(number, row):
    """Check that outputs, gradients and running statistics are MXNet's."""
    if not row["computes"]:
        return  # MXNet had no values for it
    layer, x = filled(number, row), nd.array(ARRAYS[f"{number}_x"])
    np.testing.assert_allclose(
        layer(x).asnumpy(), ARRAYS[f"{number}_predicted"], rtol=1e-5, atol=2e-6
    )
    x.attach_grad()
    with autograd.record():
        y = layer(x)
    y.backward(nd.array(ARRAYS[f"{number}_g"]))
    np.testing.assert_allclose(y.asnumpy(), ARRAYS[f"{number}_y"], rtol=1e-4, atol=2e-6)
    expected = ARRAYS[f"{number}_dx"]
    if (
        row["name"] == "SELU"
    ):  # MXNet's own fault: below 0 its slope is lambda (alpha + y), which is lambda alpha e^x only for lambda = 1
        below, g = ARRAYS[f"{number}_x"] < 0, ARRAYS[f"{number}_g"]
        np.testing.assert_allclose(
            expected[below],
            (g * SELU_SCALE * (SELU_ALPHA + ARRAYS[f"{number}_y"]))[below],
            rtol=1e-5,
        )
        expected = np.where(below, g * (SELU_SCALE * SELU_ALPHA + ARRAYS[f"{number}_y"]), expected)
    np.testing.assert_allclose(x.grad.asnumpy(), expected, rtol=1e-4, atol=1e-5)
    for name, parameter in layer.collect_params().items():
        if parameter.grad_req != "null":
            np.testing.assert_allclose(
                parameter.grad().asnumpy(), ARRAYS[f"{number}_d_{name}"], rtol=1e-4, atol=1e-5
            )
        else:
            np.testing.assert_allclose(
                parameter.data().asnumpy(), ARRAYS[f"{number}_after_{name}"], rtol=1e-5, atol=1e-6
            )


def check_hybridized(number, row):
    """Check that hybridizing changes nothing, and that deferred and eager values are equal."""
    eager, deferred = make(row), make(row)
    eager.output_shape(tuple(row["input"]))
    for layer in (eager, deferred):
        streams.seed(3)
        layer.initialize(init.Uniform(0.5))
    x = nd.array(np.random.default_rng(0).normal(size=row["input"]), dtype="float32")
    before = eager(x).asnumpy()
    eager.hybridize(static_alloc=True, static_shape=True, inline_limit=2, forward_bulk_size=1)
    deferred.hybridize()
    np.testing.assert_array_equal(eager(x).asnumpy(), before)
    np.testing.assert_array_equal(deferred(x).asnumpy(), before)
    eager.hybridize(False)
    np.testing.assert_array_equal(eager(x).asnumpy(), before)


def check_unknown_option(number, row):
    """Check that an unknown option is refused."""
    with pytest.raises(TypeError, match="unexpected keyword argument 'nosuch'"):
        class_of(row)(*row["args"], nosuch=1)
