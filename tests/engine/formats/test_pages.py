"""Elements of mapped arrays, some at a time, and the pages that they leave."""

from __future__ import annotations

import math
import mmap
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from initlab.engine.formats import pages
from initlab.engine.formats.base import mapped

STATUS = Path("/proc/self/status")
needs_linux = pytest.mark.skipif(not STATUS.exists(), reason="needs Linux's /proc")


def file_bytes():
    """The bytes of mapped files in the memory of this process."""
    line = next(one for one in STATUS.read_text().splitlines() if one.startswith("RssFile"))
    return int(line.split()[1]) * 1024


def digest(array):
    """A number that every element changes."""
    return sum(zlib.crc32(block.tobytes()) for block in pages.blocks(array))


@given(
    st.lists(st.integers(0, 5), max_size=4).map(tuple),
    st.randoms(use_true_random=False),
    st.integers(0, 700),
    st.integers(0, 700),
)
def test_any_slice_of_any_layout_is_in_c_order(shape, random, start, stop):
    whole = np.arange(math.prod(shape), dtype=np.int16).reshape(shape)
    axes = random.sample(range(len(shape)), len(shape))
    for array in (whole, whole.transpose(axes), whole[..., ::2] if shape else whole):
        wanted = array.reshape(-1)[start:stop]
        assert pages.elements(array, start, stop).tolist() == wanted.tolist()
    assert [x for block in pages.blocks(whole) for x in block] == whole.reshape(-1).tolist()


def test_a_slice_of_a_turned_array_copies_no_more_than_itself():
    turned = np.zeros((2000, 1000)).T
    tracemalloc.start()
    pages.elements(turned, 1_000_000, 1_000_100)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10_000


@needs_linux
@pytest.mark.parametrize("make", [
    lambda raw: raw,
    lambda raw: raw[64:].view(np.float64).reshape(-1, 8),
    lambda raw: raw.view(np.float32).reshape(1024, -1).T,
    lambda raw: np.asarray(raw.data[8:]),
    lambda raw: np.lib.stride_tricks.as_strided(raw[16:], (raw.size // 4 - 4, 2), (4, 1)),
])  # fmt: skip
def test_pages_that_are_released_are_out_of_memory_and_read_again(make, tmp_path):
    path = tmp_path / "x"
    path.write_bytes(np.random.default_rng(0).bytes(1 << 25))
    array = make(mapped(path))
    before = file_bytes()
    first = digest(array)
    assert file_bytes() - before > 3 << 23
    pages.release(array)
    assert file_bytes() - before < 1 << 21
    assert digest(array) == first


@needs_linux
def test_reading_once_keeps_few_pages(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(bytes(1 << 25))
    array, before, most = mapped(path), file_bytes(), 0
    for block in pages.read_once(array):
        assert not block.any()
        most = max(most, file_bytes() - before)
    assert most < 1 << 23


@pytest.mark.parametrize("array", [np.arange(9.0), np.zeros(0), np.float32(3).reshape(())])
def test_ordinary_memory_is_left_as_it_is(array):
    before = array.copy()
    pages.release(array)
    assert array.tolist() == before.tolist()


def test_a_system_without_the_call_keeps_its_pages(tmp_path, monkeypatch):
    monkeypatch.delattr(mmap, "MADV_DONTNEED", raising=False)
    path = tmp_path / "x"
    path.write_bytes(b"abc")
    array = mapped(path)
    pages.release(array)
    assert array.tobytes() == b"abc"
