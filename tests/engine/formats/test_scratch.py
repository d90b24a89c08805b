"""Room for what is unpacked: memory for little, a mapped file without a name for more."""

from __future__ import annotations

import errno
import os
import tempfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from initlab.engine.errors import FormatError
from initlab.engine.formats import scratch


@given(st.lists(st.integers(0, 300), max_size=8), st.sampled_from([0, 1 << 20]))
def test_rooms_have_their_sizes_and_are_disjoint(sizes, in_memory):
    before = scratch.IN_MEMORY
    scratch.IN_MEMORY = in_memory
    try:
        found = scratch.rooms(sizes)
    finally:
        scratch.IN_MEMORY = before
    assert [one.size for one in found] == sizes
    for number, one in enumerate(found):
        one[:] = number
    assert all((one == number).all() for number, one in enumerate(found))
    assert all(one.ctypes.data % 8 == 0 for one in found if one.size)


def test_a_large_room_leaves_no_file(monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    [room] = scratch.rooms([scratch.IN_MEMORY + 1])
    room[-1] = 7
    assert room[-1] == 7 and list(tmp_path.iterdir()) == []


def test_too_little_space_is_said_before_anything_is_written(monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(
        FormatError, match=r"needs 33,554,432 bytes to be unpacked, and .* set TMPDIR"
    ):
        scratch.rooms([1 << 25])


def test_what_no_compression_reaches_is_refused():
    assert scratch.too_dense(10**6, 1) is None
    assert scratch.too_dense(10**9, 10**6) is None
    said = "it says that it has 10000000000 bytes, and 1000000 are in the file"
    assert scratch.too_dense(10**10, 10**6) == said
