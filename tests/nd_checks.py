"""Checks for every recorded call of `nd`: it gives the values of MXNet 1.9.1, stays on its device,
and uses only what CuPy has. The tests of each module of `engine.nd` run these checks on the calls
of its functions.
"""

from __future__ import annotations

import builtins
import inspect
from functools import cache
from pathlib import Path
from typing import Any

import nd_cases
import numpy as np
import pytest
from standin import counting_device

from initlab.engine import autograd, errors, nd


@cache
def recorded() -> dict[str, np.ndarray]:
    """Return all recorded arrays by `<number of the case>/<name of the result>`."""
    path = Path(__file__).parent / "vectors" / "mxnet-nd.npz"
    with np.load(path, allow_pickle=False) as file:
        return dict(file)


def module_of(function: str) -> str:
    """Return the module of `engine.nd` that defines a function, e.g. "linalg" for `linalg.gemm`."""
    target: Any = nd
    for part in function.split("."):
        target = getattr(target, part)
    return inspect.unwrap(target).__module__.rpartition(".")[2]


def convert(value: Any) -> Any:
    """Return a value with its arrays as NDArrays."""
    if isinstance(value, tuple):
        return tuple(convert(v) for v in value)
    return nd.array(value, dtype=value.dtype) if isinstance(value, np.ndarray) else value


def check_agrees(found: np.ndarray, wanted: np.ndarray) -> None:
    """Check that dtype and shape are equal, and values up to a few bits of float32."""
    assert found.dtype == wanted.dtype
    assert found.shape == wanted.shape
    np.testing.assert_allclose(found, wanted, rtol=3e-5, atol=3e-6)


def check_recorded(number: int) -> None:
    """Check that a call's results and gradients are MXNet's."""
    with np.errstate(all="ignore"):
        found = nd_cases.run(nd, autograd, *nd_cases.CASES[number])
    wanted = {
        key.split("/")[1]: values
        for key, values in recorded().items()
        if key.startswith(f"{number}/")
    }
    assert found.keys() == wanted.keys()
    for name, values in wanted.items():
        check_agrees(found[name], values)


def check_stays_on_its_device(number: int) -> None:
    """Check that a call gives the same result on a device that refuses NumPy's functions."""
    with counting_device() as (device, _), device, np.errstate(all="ignore"):
        found = nd_cases.run(nd, autograd, *nd_cases.CASES[number])
    for name, values in recorded().items():
        if name.startswith(f"{number}/"):
            check_agrees(found[name.split("/")[1]], values)


def check_on_what_cupy_has(number: int) -> None:
    """Check that a call gives the same result on an array library that has only what CuPy has."""
    pytest.importorskip("array_api_strict")
    from strict import strict_device

    if "float16" in {str(v) for v in nd_cases.CASES[number][2].values()}:
        return  # the standard has no such dtype
    with np.errstate(all="ignore"):
        expected = nd_cases.run(nd, autograd, *nd_cases.CASES[number])
        with strict_device() as device, device:
            found = nd_cases.run(nd, autograd, *nd_cases.CASES[number])
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, rtol=1e-6, atol=1e-6)


def kind_of(name: str) -> type[Exception]:
    """Return an exception class by its name, ours or Python's."""
    return getattr(errors, name, None) or getattr(builtins, name)


def check_fails(function: str, arguments: tuple, options: dict, kind: str, piece: str) -> None:
    """Check that a call raises MXNet's exception, with the given part of its message."""
    given = [
        a if function == "exp" else [convert(v) for v in a] if isinstance(a, list) else convert(a)
        for a in arguments
    ]
    with pytest.raises(kind_of(kind)) as caught:
        getattr(nd, function)(*given, **options)
    assert piece in str(caught.value)
