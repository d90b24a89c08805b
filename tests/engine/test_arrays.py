"""What the engine asks of an array: NumPy's arrays have it, and numbers are told from arrays."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import pytest

from initlab.engine import autograd, nd
from initlab.engine.arrays import Array, is_array
from initlab.engine.device import cpu


class Empty(Protocol):
    """What every protocol has."""

    anything: int


def asked() -> set[str]:
    """The members of the protocol `Array`, without what every object and protocol has."""
    named = {name for name in vars(Array) if not name.startswith("_") or name.startswith("__")}
    return named - {*vars(object), *vars(Empty), "__parameters__"}


def test_numpys_arrays_have_all_that_is_asked_of_an_array():
    assert {"shape", "dtype", "__add__", "__getitem__"} <= asked()
    assert {name for name in asked() if not hasattr(np.ndarray, name)} == set()


def test_traced_values_have_all_that_is_asked_of_an_array():
    x = nd.array([1.0, 2.0])
    x.attach_grad()
    with autograd.record():
        stand_in = (x * x)._traced()
    lacking = {name for name in asked() if not hasattr(stand_in, name)}
    # nothing in a vjp asks a stand-in for these, so they are declared only
    assert lacking == {"__invert__", "__and__", "__or__", "__iter__"} & lacking


@pytest.mark.parametrize(
    ("value", "expected"),
    [(np.zeros(2), True), (np.float32(1), True), (1, False), (2.5, False), (True, False)],
)
def test_numbers_are_told_from_arrays(value, expected):
    assert is_array(value) is expected


def test_a_device_gives_the_library_that_it_was_made_the_current_one_of():
    assert cpu(1).use() is np
