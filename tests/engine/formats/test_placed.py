"""A file written in pieces, by several threads, past the page cache or through it, holds what was
written.
"""

from __future__ import annotations

import errno
import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from initlab.engine.formats import placed
from initlab.engine.formats.placed import Buffer, PlacedFile

SIZE = 3 * (1 << 18) + 1234


def content() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, SIZE, np.uint8)


def write_in_pieces(file: PlacedFile, data: np.ndarray, cuts: list[int], buffers: bool) -> None:
    edges = [0, *sorted(cuts), len(data)]

    def write(span: tuple[int, int]) -> None:
        start, stop = span
        piece = (
            Buffer(stop - start).at(start, stop - start)
            if buffers
            else np.empty(stop - start, np.uint8)
        )
        piece[:] = data[start:stop]
        file.write(start, piece)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, zip(edges, edges[1:], strict=False)))


@settings(max_examples=30, deadline=None)
@given(cuts=st.lists(st.integers(0, SIZE), max_size=6), buffers=st.booleans())
def test_pieces_of_any_size_from_several_threads_make_the_whole(tmp_path_factory, cuts, buffers):
    path = tmp_path_factory.mktemp("placed") / "file"
    data = content()
    with PlacedFile(path, SIZE) as file:
        write_in_pieces(file, data, cuts, buffers)
        file.sync()
    assert path.read_bytes() == data.tobytes()


def test_whole_pages_go_past_the_cache_where_the_file_system_lets_them(tmp_path, monkeypatch):
    ways = []
    real = placed._write
    monkeypatch.setattr(
        placed,
        "_write",
        lambda descriptor, piece, offset: (
            ways.append((descriptor, piece.size)),
            real(descriptor, piece, offset),
        ),
    )
    with PlacedFile(tmp_path / "file", SIZE) as file:
        if file._direct is None:
            pytest.skip("this file system has no O_DIRECT")
        direct = file._direct
        write_in_pieces(file, content(), [], True)
    assert (direct, SIZE // placed.PAGE * placed.PAGE) in ways
    assert sum(size for way, size in ways if way != direct) < 2 * placed.PAGE


@pytest.mark.parametrize("code", [errno.EINVAL, errno.EOPNOTSUPP])
def test_a_file_system_that_refuses_is_written_through_the_cache(tmp_path, monkeypatch, code):
    real = os.pwrite
    file = PlacedFile(tmp_path / "file", SIZE)
    direct = file._direct = file._direct or os.open(tmp_path / "file", os.O_RDWR)

    def refuse(descriptor, data, offset):
        if descriptor == direct:
            raise OSError(code, "refused")
        return real(descriptor, data, offset)

    monkeypatch.setattr(os, "pwrite", refuse)
    with file:
        write_in_pieces(file, content(), [100_000], True)
    assert (tmp_path / "file").read_bytes() == content().tobytes()


def test_an_error_other_than_a_refusal_is_raised(tmp_path, monkeypatch):
    def full(descriptor, data, offset):
        raise OSError(errno.ENOSPC, "No space left on device")

    with PlacedFile(tmp_path / "file", SIZE) as file:
        monkeypatch.setattr(os, "pwrite", full)
        with pytest.raises(OSError, match="No space left"):
            write_in_pieces(file, content(), [], True)


def test_what_was_there_is_kept_on_request_and_reading_past_the_end_says_so(tmp_path):
    path = tmp_path / "file"
    data = content()
    path.write_bytes(data.tobytes())
    into = np.empty(100, np.uint8)
    with PlacedFile(path, SIZE, keep=True) as file:
        file.read(SIZE - 100, into)
        assert (into == data[-100:]).all()
        with pytest.raises(EOFError, match=f"the file ends at byte {SIZE}, 1 more were expected"):
            file.read(SIZE - 99, into)
    with PlacedFile(path, SIZE):
        pass
    assert path.read_bytes() == bytes(SIZE)


def test_a_piece_larger_than_its_buffer_is_refused():
    with pytest.raises(ValueError, match="a piece of 11 bytes does not fit into a buffer of 10"):
        Buffer(10).at(0, 11)
