"""Sharing memory with NumPy and through DLPack."""

from __future__ import annotations

import numpy as np
import pytest

from initlab.engine import nd
from initlab.engine.errors import MXNetError


def test_numpy_and_the_engine_share_memory_through_dlpack_both_ways():
    x = nd.arange(4).reshape((2, 2))
    there = np.from_dlpack(x)
    x[0, 0] = 7
    assert there.tolist() == [[7, 1], [2, 3]]
    source = np.ones((2, 2), np.int32)
    back = nd.from_dlpack(source)
    source[1, 1] = 5
    assert back.tolist() == [[1, 1], [1, 5]]
    assert back.dtype is np.int32
    assert x.__dlpack_device__() == (1, 0)


def test_dlpack_capsules_are_exported_and_imported():
    x = nd.arange(3)
    y = nd.from_dlpack(nd.to_dlpack_for_read(x))
    z = nd.from_dlpack(x.to_dlpack_for_write())
    x[0] = 9
    assert y.tolist() == z.tolist() == [9, 1, 2]
    assert nd.from_dlpack(np.array(3.0)).shape == (1,)


def test_from_numpy_shares_and_seals_or_copies():
    source = np.ones((2,))
    x = nd.from_numpy(source)
    assert x.dtype is np.float64
    x[0] = 3
    assert source.tolist() == [3, 1]
    assert not source.flags["WRITEABLE"]
    other = np.ones((2,))
    nd.from_numpy(other, zero_copy=False)[:] = 5
    assert other.tolist() == [1, 1]


def test_array_gives_a_copy_or_its_own_memory_or_refuses():
    x = nd.ones((2,))
    np.asarray(x)[0] = 5
    assert x.tolist() == [1, 1]
    np.array(x, copy=False)[0] = 5
    assert x.tolist() == [5, 1]
    assert np.asarray(x, dtype="int64").dtype == np.int64
    with pytest.raises(ValueError, match="Unable to avoid copy"):
        np.array(x, dtype="int64", copy=False)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: nd.from_numpy(np.ones((2, 3)).T),
            ValueError,
            "Only c-contiguous arrays are supported for zero-copy",
        ),
        (lambda: nd.from_numpy([1]), TypeError, "needs a NumPy array, got list"),
        (
            lambda: nd.from_dlpack([1]),
            TypeError,
            "needs an array with __dlpack__ or a capsule, got list",
        ),
        (lambda: nd.from_dlpack(np.ones(2, complex)), MXNetError, "no dtype"),
    ],
)
def test_what_cannot_be_shared_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_one_numpy_array_may_be_shared_twice():
    values = np.zeros(3, np.float32)
    first, second = nd.from_numpy(values), nd.from_numpy(values)
    second[:] = 5
    first += 1
    assert values.tolist() == second.tolist() == [6, 6, 6]
    assert not values.flags.writeable
    assert first.writable
