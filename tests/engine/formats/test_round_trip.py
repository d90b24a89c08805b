"""Every format gives back what was written, in canonical bytes, and a file is whole or not there."""

from __future__ import annotations

import hashlib
import io
import os
import random
import struct
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from initlab.engine import dtypes, formats
from initlab.engine.errors import FormatError
from initlab.engine.formats import Snapshot, base

DTYPES = ["float16", "float32", "float64", "bfloat16", "uint8", "int8", "int32", "int64", "bool"]
NAMES = ["safetensors", "npz"]


def same(a: np.ndarray, b: np.ndarray) -> bool:
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


def sample() -> Snapshot:
    tensors = {
        f"t.{name}": (np.arange(6).reshape(2, 3) % 2).astype(dtypes.resolve(name))
        for name in DTYPES
    }
    tensors |= {
        "empty": np.zeros((0, 3), np.float32),
        "scalar": np.array(3.5, np.float32),
        "ключ": np.ones(2, np.float32),
    }
    return Snapshot(tensors, {"alias": "scalar"}, {"root-v1": "ab", "n": 1})


@pytest.mark.parametrize("name", NAMES)
def test_what_was_written_is_read(name, tmp_path):
    path = tmp_path / f"x{formats.get(name).suffix}"
    formats.get(name).write(path, sample())
    read = formats.get(path).read(path)
    assert set(read.tensors) == set(sample().tensors)
    assert all(same(read.tensors[key], value) for key, value in sample().tensors.items())
    assert (read.aliases, read.metadata) == (sample().aliases, sample().metadata)


NAME = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8
).filter(lambda n: n != "__metadata__")
SHAPE = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)


@st.composite
def snapshots(draw) -> Snapshot:
    tensors = {}
    for name in draw(st.lists(NAME, unique=True, max_size=4)):
        dtype = dtypes.resolve(draw(st.sampled_from(DTYPES)))
        shape = draw(SHAPE)
        size = int(np.prod(shape)) * dtype.itemsize
        raw = np.frombuffer(draw(st.binary(min_size=size, max_size=size)), np.uint8)
        tensors[name] = (raw & 1 if dtype == np.bool_ else raw).copy().view(dtype).reshape(shape)
    free = (
        [name for name in draw(st.lists(NAME, unique=True, max_size=2)) if name not in tensors]
        if tensors
        else []
    )
    aliases = {name: draw(st.sampled_from(sorted(tensors))) for name in free}
    return Snapshot(
        tensors,
        aliases,
        draw(
            st.dictionaries(
                NAME, st.none() | st.integers() | st.text('ab"\n', max_size=3), max_size=2
            )
        ),
    )


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=60, deadline=None)
@given(snapshot=snapshots())
def test_any_snapshot_survives(name, snapshot):
    read = round_trip(name, snapshot)
    assert set(read.tensors) == set(snapshot.tensors)
    assert all(same(read.tensors[key], value) for key, value in snapshot.tensors.items())
    assert (read.aliases, read.metadata) == (snapshot.aliases, snapshot.metadata)


@settings(max_examples=60, deadline=None)
@given(snapshot=snapshots())
def test_params_keeps_every_tensor_in_order_and_aliases_as_tensors(snapshot):
    read = round_trip("params", snapshot)
    assert list(read.tensors) == [*snapshot.tensors, *snapshot.aliases]
    assert all(same(read.tensors[key], value) for key, value in snapshot.tensors.items())
    assert all(
        same(read.tensors[alias], snapshot.tensors[owner])
        for alias, owner in snapshot.aliases.items()
    )


def round_trip(name: str, snapshot: Snapshot) -> Snapshot:
    file = io.BytesIO()
    formats.get(name).dump(file, snapshot)
    return formats.get(name).parse(file.getvalue())


@pytest.mark.parametrize("name", NAMES)
def test_the_same_snapshot_gives_the_same_bytes_in_any_order(name, tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    formats.get(name).write(one, sample())
    turned = Snapshot(dict(reversed(sample().tensors.items())), sample().aliases, sample().metadata)
    formats.get(name).write(two, turned)
    assert one.read_bytes() == two.read_bytes()


@pytest.mark.parametrize(
    ("name", "sha256"),
    [
        ("safetensors", "23bd45d40a3aaee6a39842c96d208aef4d44859bd0be998295eb1ea168f31428"),
        ("npz", "1dd52413d34e5a67f1aae337b15ef3c47c851ff7c8500d6ee72e7bc776fdf295"),
        ("params", "a2f034a67c114680f4a9b4743d03242612dc526bb6cde02d8e1585fd48e8ed06"),
    ],
)
def test_the_bytes_are_those_of_every_day_and_every_python(name, sha256):
    file = io.BytesIO()
    tensors = {"b": np.arange(3, dtype=np.float32), "a": np.ones((2, 2), np.float16)}
    formats.get(name).dump(file, Snapshot(tensors, {"c": "a"}, {"n": 1}))
    assert hashlib.sha256(file.getvalue()).hexdigest() == sha256


def test_the_official_safetensors_library_reads_our_file(tmp_path):
    from safetensors.numpy import load_file

    path = tmp_path / "x.safetensors"
    ours = {k: v for k, v in sample().tensors.items() if v.dtype.name != "bfloat16"}
    formats.get("safetensors").write(path, Snapshot(ours, {"alias": "scalar"}))
    read = load_file(path)
    assert set(read) == set(ours)
    assert all(same(read[key], value) for key, value in ours.items())


def test_we_read_the_official_safetensors_librarys_file(tmp_path):
    from safetensors.numpy import save_file

    path = tmp_path / "x.safetensors"
    save_file(
        {"a": np.ones((2, 3), np.float32), "b": np.arange(4)}, path, metadata={"made": "elsewhere"}
    )
    read = formats.get(path).read(path)
    assert same(read.tensors["a"], np.ones((2, 3), np.float32))
    assert same(read.tensors["b"], np.arange(4))
    assert (read.aliases, read.metadata) == ({}, {"made": "elsewhere"})


def test_numpy_reads_our_npz_without_pickle(tmp_path):
    path = tmp_path / "x.npz"
    formats.get("npz").write(path, Snapshot({"a": np.ones(3, np.float32)}))
    with np.load(path, allow_pickle=False) as file:
        assert same(file["a"], np.ones(3, np.float32))


@pytest.mark.parametrize("name", [*NAMES, "params"])
def test_a_failing_write_leaves_the_old_file_and_nothing_else(name, tmp_path, monkeypatch):
    path = tmp_path / f"x{formats.get(name).suffix}"
    formats.get(name).write(path, Snapshot({"a": np.ones(3, np.float32)}))
    before = path.read_bytes()

    def fail(self, file, snapshot):
        file.write(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(type(formats.get(name)), "dump", fail)
    with pytest.raises(OSError, match="disk full"):
        formats.get(name).write(path, Snapshot({"a": np.zeros(3, np.float32)}))
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("name", [*NAMES, "params"])
def test_a_file_cut_short_anywhere_is_refused(name, tmp_path):
    path = tmp_path / f"x{formats.get(name).suffix}"
    formats.get(name).write(
        path, Snapshot({"a": np.arange(5, dtype=np.float32), "b.c": np.ones((2, 2), np.float16)})
    )
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(FormatError, match=str(path)):
            formats.get(name).read(path)


@pytest.mark.parametrize("name", [*NAMES, "params"])
@settings(max_examples=150, deadline=None)
@given(data=st.binary(max_size=200))
def test_any_bytes_are_read_or_refused_but_never_crash(name, data):
    try:
        formats.get(name).parse(data)
    except FormatError as error:
        assert str(error)


def flipped(whole: bytes) -> list[bytes]:
    """The file with each bit turned over, and with bytes changed, taken out and put in at random."""
    files = []
    for place in range(len(whole)):
        bit = 1 << place % 8
        files.append(whole[:place] + bytes([whole[place] ^ bit]) + whole[place + 1 :])
    chance = random.Random(0)
    for _ in range(1500):
        start, count = chance.randrange(len(whole)), chance.randint(0, 9)
        files.append(
            whole[:start] + chance.randbytes(chance.randint(0, 9)) + whole[start + count :]
        )
    return files


@pytest.mark.parametrize("name", [*NAMES, "params"])
def test_a_damaged_file_is_refused_or_read_but_never_crashes(name):
    file = io.BytesIO()
    formats.get(name).dump(file, sample())
    outcomes = {"read": 0, "refused": 0}
    for data in flipped(file.getvalue()):
        try:
            formats.get(name).parse(data)
            outcomes["read"] += 1
        except FormatError:
            outcomes["refused"] += 1
    assert outcomes["refused"] > 100


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
def test_an_npz_with_a_header_that_cannot_be_is_refused_before_memory_is_taken(header, message):
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


def test_what_a_format_cannot_hold_is_refused_with_the_files_name_and_leaves_nothing(tmp_path):
    cases = [
        ("npz", {"a": np.array([None])}, {}, "tensor 'a' has dtype object, which is no number"),
        ("npz", {"a\0b": np.ones(1)}, {}, "npz cannot hold the name"),
        ("npz", {"__initlab__": np.ones(1)}, {}, "a tensor cannot be called '__initlab__'"),
        ("safetensors", {"a": np.ones(1, complex)}, {}, "tensor 'a' has dtype complex128"),
        (
            "safetensors",
            {"__metadata__": np.ones(1)},
            {},
            "a tensor cannot be called '__metadata__'",
        ),
        ("params", {"a": np.ones(1, np.int16)}, {}, "dtype int16 cannot be saved"),
        ("params", {"\ud800": np.ones(1)}, {}, "which is no text"),
        ("params", {"a": np.ones(1)}, {"b": "c"}, "alias 'b' is of 'c', which is no tensor of it"),
        ("npz", {"a": np.ones(1)}, {"a": "a"}, "'a' is both a tensor and an alias"),
    ]
    for name, tensors, aliases, message in cases:
        with pytest.raises(FormatError, match=f"file cannot be written: .*{message}"):
            formats.get(name).write(tmp_path / "file", Snapshot(tensors, aliases))
        assert list(tmp_path.iterdir()) == []


def test_what_a_killed_writer_left_gets_into_no_file(tmp_path):
    path = tmp_path / "x.npz"
    left = [tmp_path / "x.npz.tmp", tmp_path / "elsewhere"]
    left[0].symlink_to(left[1])
    left[1].write_bytes(b"half a file, and longer than the one that is written" * 100)
    formats.get("npz").write(path, Snapshot({"a": np.ones(1)}))
    assert same(formats.get(path).read(path).tensors["a"], np.ones(1))
    assert left[1].read_bytes().startswith(b"half a file")


def test_two_writers_of_one_file_do_not_mix(tmp_path):
    path = tmp_path / "x.npz"
    with base.replacing(path) as first, base.replacing(path) as second:
        first.write(b"first")
        second.write(b"second, longer")
    assert path.read_bytes() == b"first"
    assert [file.name for file in tmp_path.iterdir()] == ["x.npz"]


def test_a_file_is_synced_before_it_takes_its_name_and_its_folder_after(tmp_path, monkeypatch):
    done = []
    sync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda number: (done.append("sync"), sync(number)))
    monkeypatch.setattr(os, "replace", lambda *names: (done.append("replace"), replace(*names)))
    formats.get("params").write(tmp_path / "x.params", Snapshot({"a": np.ones(1)}))
    assert done == ["sync", "replace", "sync"]


def test_a_format_is_chosen_by_name_or_suffix_and_an_unknown_one_is_refused():
    assert formats.get("npz") is formats.get("some/where.npz")
    with pytest.raises(
        FormatError, match=r"no snapshot format for 'x\.safetensor' - did you mean 'safetensors'\?"
    ):
        formats.get("x.safetensor")
