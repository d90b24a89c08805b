"""npz: read by NumPy without pickle, and what is damaged is refused."""

from __future__ import annotations

import io
import struct
import zipfile

import numpy as np
import pytest
from snapshots import flipped, same, sample

from initlab.engine import formats
from initlab.engine.errors import FormatError
from initlab.engine.formats import Snapshot


def test_numpy_reads_our_npz_without_pickle(tmp_path):
    path = tmp_path / "x.npz"
    formats.get("npz").write(path, Snapshot({"a": np.ones(3, np.float32)}))
    with np.load(path, allow_pickle=False) as file:
        assert same(file["a"], np.ones(3, np.float32))


def test_a_damaged_npz_is_refused_or_gives_the_same_values():
    file = io.BytesIO()
    formats.get("npz").dump(file, sample())
    for data in flipped(file.getvalue()):
        try:
            read = formats.get("npz").parse(data)
        except FormatError:
            continue
        assert set(read.tensors) == set(sample().tensors)
        assert all(same(read.tensors[key], value) for key, value in sample().tensors.items())


def npz_of(header: bytes, body: bytes = b"\0" * 20) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.npy", b"\x93NUMPY\1\0" + struct.pack("<H", len(header)) + header + body)
    return file.getvalue()


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (
            b"{'descr': '<f4', 'fortran_order': False, 'shape': (100000000000000,), }",
            "needs 400000000000000 bytes, 20 are there",
        ),
        (
            b"{'descr': '<f4', 'fortran_order': False, 'shape': (4,), }",
            "needs 16 bytes, 20 are there",
        ),
        (b"{'descr': '<f4', 'fortran_order': False, 'shape': (-5,), }", "impossible shape"),
        (
            b"{'descr': '|O', 'fortran_order': False, 'shape': (5,), }",
            "tensor 'a' of dtype object, which is no number",
        ),
        (
            b"{'descr': '<c8', 'fortran_order': False, 'shape': (5,), }",
            "tensor 'a' of dtype complex64, which is no number",
        ),
        (
            b"{'descr': '<f4', 'fortran_order': False, 'shape': (5,), 0: 6}",
            "is damaged, cut short or no npz file",
        ),
        (b"(" * 9000, "is damaged, cut short or no npz file"),
    ],
)
def test_an_npz_with_an_invalid_header_is_refused_before_memory_is_allocated(header, message):
    with pytest.raises(FormatError, match=message):
        formats.get("npz").parse(npz_of(header))


def test_any_npz_of_numbers_is_read(tmp_path):
    path = tmp_path / "x.npz"
    columns_first = np.asfortranarray(np.arange(6, dtype=np.float32).reshape(2, 3))
    np.savez_compressed(path, columns=columns_first, big=np.arange(3, dtype=">i4"))
    read = formats.get(path).read(path)
    assert same(read.tensors["columns"], np.ascontiguousarray(columns_first))
    assert same(read.tensors["big"], np.arange(3, dtype="<i4"))
    python2 = formats.get("npz").parse(
        npz_of(b"{'descr': '<f4', 'fortran_order': False, 'shape': (5L,), }")
    )
    assert same(python2.tensors["a"], np.zeros(5, np.float32))


@pytest.mark.parametrize("text", [b"[" * 200_000, b"{", b"3", b'{"aliases": 3}'])
def test_an_alias_table_that_is_not_as_written_is_refused(tmp_path, text):
    np.savez(tmp_path / "x.npz", w=np.zeros(3, "f4"), __initlab__=np.frombuffer(text, np.uint8))
    with pytest.raises(FormatError, match="its alias table is not as we write it"):
        formats.get("npz").read(tmp_path / "x.npz")
