"""`nd`: arithmetic with arrays and numbers, against what MXNet 1.9.1 gave and by what must hold."""

from __future__ import annotations

import nd_checks
import numpy as np
import pytest

from initlab.engine import nd


def test_a_function_gives_what_mxnet_gave(number):
    nd_checks.check_recorded(number)


def test_a_function_stays_on_its_device(number):
    nd_checks.check_stays_on_its_device(number)


def test_a_function_runs_on_what_cupy_has(number):
    nd_checks.check_on_what_cupy_has(number)


def test_a_call_fails_as_mxnets_does(failing):
    nd_checks.check_fails(*failing)


def test_two_numbers_give_a_number():
    results = (
        nd.add(2, 3),
        nd.maximum(2, 3),
        nd.minimum(2, 3),
        nd.power(2, 3),
        nd.modulo(7, 3),
        nd.equal(2, 3),
        nd.logical_and(2, 0),
    )
    assert results == (5, 3, 2, 8, 1, 0, 0)


def test_a_number_is_taken_into_the_dtype_of_a_whole_number_array_first():
    x = nd.array([7, -7, 2], dtype="int32")
    assert (x + 1.5).tolist() == [8, -6, 3]
    assert (x * 2.5).tolist() == [14, -14, 4]
    assert (7 / x).tolist() == [1, -1, 3]
    assert (x > 2.5).tolist() == [1, 0, 0]
    assert (2.5 ** nd.array([2], dtype="int32")).tolist() == [4]
    assert (x + np.float64(1.5)).dtype is np.int32


@pytest.mark.parametrize("x", [-7.5, -2, 0, 5])
def test_a_number_modulo_an_array_is_that_of_python_and_0_for_0(x):
    y = np.array([2.0, -3.0, 0.0, 0.5])
    strict = pytest.importorskip(
        "strict", reason="array_api_strict is not installed", exc_type=ImportError
    )
    with strict.strict_device() as device, device:
        found = (x % nd.array(y)).asnumpy().tolist()
    assert found == [x % float(n) if n else 0.0 for n in y]
