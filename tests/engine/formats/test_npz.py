"""npz: read by NumPy without pickle, and what is damaged is refused."""

from __future__ import annotations

import io
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest
from snapshots import flipped, same, sample

from initlab.engine import formats
from initlab.engine.errors import FormatError
from initlab.engine.formats import Snapshot, scratch


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


def packed(path, **tensors):
    np.savez_compressed(path, **tensors)
    return path


TENSORS = {
    "a.weight": np.random.default_rng(0).normal(size=(300, 70)).astype(np.float32),
    "b": np.asfortranarray(np.arange(12.0).reshape(3, 4)),
    "empty": np.zeros((0, 5), np.float16),
    "one": np.array(3, np.int64),
    "other_order": np.arange(5, dtype=">f4"),
}


@pytest.mark.parametrize("in_memory", [0, 1 << 24])
def test_compressed_entries_are_unpacked_the_same_in_memory_and_in_a_file(
    in_memory, monkeypatch, tmp_path
):
    monkeypatch.setattr(scratch, "IN_MEMORY", in_memory)
    path = packed(tmp_path / "a.npz", **TENSORS)
    found = formats.get(path).open(path).tensors
    assert found.keys() == TENSORS.keys()
    for name, values in TENSORS.items():
        assert found[name].shape == values.shape and np.array_equal(found[name], values)
    assert formats.get(path).read(path).tensors.keys() == TENSORS.keys()


def test_a_compressed_file_is_opened_in_little_memory(tmp_path):
    path = packed(
        tmp_path / "a.npz", a=np.zeros(1 << 22, np.float32), b=np.ones(1 << 22, np.float32)
    )
    tracemalloc.start()
    found = formats.get(path).open(path).tensors
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (found["b"][::1000] == 1).all() and peak < 6e6


@pytest.mark.parametrize("place", [0.3, 0.6, 0.95])
def test_a_damaged_compressed_file_is_refused(place, tmp_path):
    path = packed(tmp_path / "a.npz", a=TENSORS["a.weight"])
    data = bytearray(path.read_bytes())
    data[int(len(data) * place)] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(FormatError, match="is damaged"):
        formats.get(path).open(path)


def test_an_entry_that_claims_more_than_can_be_is_refused(tmp_path):
    path = packed(tmp_path / "a.npz", a=TENSORS["a.weight"])
    data = path.read_bytes()
    at = data.rindex(b"PK\1\2") + 24
    path.write_bytes(data[:at] + (2**32 - 2).to_bytes(4, "little") + data[at + 4 :])
    with pytest.raises(
        FormatError, match=r"of its part 'a.npy' it says that it has 4294967294 bytes"
    ):
        formats.get(path).open(path)
