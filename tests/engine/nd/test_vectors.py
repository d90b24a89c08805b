"""Calls of `nd` against what MXNet 1.9.1 gave for them: values, dtypes, gradients, and the errors
for what cannot be.
"""

from __future__ import annotations

from pathlib import Path

import nd_cases
import numpy as np
import pytest
from standin import counting_device

from initlab.engine import autograd, errors, nd

with np.load(Path(__file__).parents[2] / "vectors" / "mxnet-nd.npz", allow_pickle=False) as file:
    RECORDED = dict(file)


def ids(rows):
    return [f"{i}-{row[0]}" for i, row in enumerate(rows)]


def convert(value):
    if isinstance(value, tuple):
        return tuple(convert(v) for v in value)
    return nd.array(value, dtype=value.dtype) if isinstance(value, np.ndarray) else value


def agree(found, recorded):
    assert found.dtype == recorded.dtype
    assert found.shape == recorded.shape
    np.testing.assert_allclose(found, recorded, rtol=3e-5, atol=3e-6)


@pytest.mark.parametrize("number", range(len(nd_cases.CASES)), ids=ids(nd_cases.CASES))
def test_a_function_gives_what_mxnet_gave(number):
    with np.errstate(all="ignore"):
        found = nd_cases.run(nd, autograd, *nd_cases.CASES[number])
    recorded = {
        key.split("/")[1]: values
        for key, values in RECORDED.items()
        if key.startswith(f"{number}/")
    }
    assert found.keys() == recorded.keys()
    for name, values in recorded.items():
        agree(found[name], values)


@pytest.mark.parametrize("number", range(len(nd_cases.KEYS)))
def test_a_part_and_its_gradient_are_those_of_mxnet(number):
    x = nd.array(nd_cases.CUBE)
    x.attach_grad()
    with autograd.record():
        y = x[convert(nd_cases.KEYS[number])]
    agree(y.asnumpy(), RECORDED[f"key{number}/out"])
    if y.size:
        y.backward(nd.array(nd_cases.head(y.shape, "float32")))
        agree(x.grad.asnumpy(), RECORDED[f"key{number}/grad"])


@pytest.mark.parametrize("number", range(len(nd_cases.ASSIGNMENTS)))
def test_what_is_written_into_a_part_is_there_as_in_mxnet(number):
    key, value = nd_cases.ASSIGNMENTS[number]
    x = nd.array(nd_cases.A)
    x[convert(key)] = value if isinstance(value, (tuple, list)) else convert(value)
    agree(x.asnumpy(), RECORDED[f"set{number}/out"])


def kind_of(name):
    return getattr(errors, name, None) or getattr(__builtins__, name, None) or __builtins__[name]


@pytest.mark.parametrize(
    ("function", "arguments", "options", "kind", "piece"),
    nd_cases.FAILURES,
    ids=ids(nd_cases.FAILURES),
)
def test_a_call_fails_as_mxnets_does(function, arguments, options, kind, piece):
    given = [
        a if function == "exp" else [convert(v) for v in a] if isinstance(a, list) else convert(a)
        for a in arguments
    ]
    with pytest.raises(kind_of(kind)) as caught:
        getattr(nd, function)(*given, **options)
    assert piece in str(caught.value)


@pytest.mark.parametrize(("key", "kind", "piece"), nd_cases.BAD_KEYS)
def test_an_index_that_cannot_be_fails_as_mxnets_does(key, kind, piece):
    with pytest.raises(kind_of(kind)) as caught:
        nd.array(nd_cases.CUBE)[key]
    assert piece in str(caught.value)


@pytest.mark.parametrize("number", range(len(nd_cases.CASES)), ids=ids(nd_cases.CASES))
def test_a_function_stays_on_its_device(number):
    with counting_device() as (device, calls), device, np.errstate(all="ignore"):
        found = nd_cases.run(nd, autograd, *nd_cases.CASES[number])
    for name, values in RECORDED.items():
        if name.startswith(f"{number}/"):
            agree(found[name.split("/")[1]], values)
