"""A damaged header is refused with what is wrong in it, before any tensor is made."""

from __future__ import annotations

import json
import struct

import numpy as np
import pytest
from snapshots import same, sample

from initlab.engine import dtypes, formats
from initlab.engine.errors import FormatError
from initlab.engine.formats import Snapshot, safetensors

ENTRY = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}


def file_of(header: object, body: bytes = b"\0" * 8) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + body


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"1234", "4 bytes cannot hold a safetensors header"),
        (struct.pack("<Q", 10**12) + b"{}", "its header would be 1000000000000 bytes long"),
        (file_of(b"[1]"), "its header is no JSON object"),
        (file_of(b"{,"), "its header: it is no JSON"),
        (file_of(b'{"a":1,"a":2}'), "its header: it has 'a' twice"),
        (file_of({"a": 3}), "tensor 'a' has no proper entry"),
        (file_of({"a": ENTRY | {"dtype": "F99"}}), "tensor 'a' of unknown dtype 'F99'"),
        (file_of({"a": ENTRY | {"shape": [-2]}}), r"impossible numbers \[-2\]"),
        (file_of({"a": ENTRY | {"shape": [True, 2]}}), "impossible numbers"),
        (file_of({"a": ENTRY | {"data_offsets": [0, 4]}}), "needs 8 bytes, its offsets give 4"),
        (
            file_of({"a": ENTRY | {"data_offsets": [8, 16]}}),
            "starts at byte 8 of the data, expected 0",
        ),
        (file_of({"a": ENTRY, "b": ENTRY}), "starts at byte 0 of the data, expected 8"),
        (file_of({"a": ENTRY}, b"\0" * 9), "1 bytes too many follow the last tensor"),
        (file_of({"a": ENTRY}, b"\0" * 7), "cut short within its data: 8 bytes announced, 7 there"),
        (
            file_of({"a": ENTRY | {"shape": [0, 10**30], "data_offsets": [0, 0]}}, b""),
            r"tensor 'a' has the impossible shape \[0, 10+\]",
        ),
        (file_of({"a": ENTRY | {"shape": [2] + [1] * 80}}), "tensor 'a' has the impossible shape"),
        (
            file_of(
                {"a": {"dtype": "BOOL", "shape": [8], "data_offsets": [0, 8]}},
                b"\1\0\2" + b"\0" * 5,
            ),
            "booleans that are neither 0 nor 1",
        ),
        (struct.pack("<Q", 50) + b"{}", "cut short within its header: 50 bytes announced, 2 there"),
        (file_of(b"[" * 100_000), "its header: it has 100000 times"),
        (file_of(b'{"__metadata__":{"initlab":"["}}', b""), "its header: it is no JSON"),
        (file_of({"__metadata__": 3, "a": ENTRY}), "its __metadata__ is no JSON object"),
        (
            file_of({"__metadata__": {"initlab": "{}"}, "a": ENTRY}),
            "its alias table is not as we write it",
        ),
    ],
)
def test_a_damaged_file_says_what_is_wrong(data, message):
    with pytest.raises(FormatError, match=message):
        formats.get("safetensors").parse(data)


@pytest.mark.parametrize("aliases", [{"b": "c"}, {"b": 3}, {"a": "a"}])
def test_an_alias_of_nothing_or_of_its_own_is_refused_with_the_files_name(aliases, tmp_path):
    path = tmp_path / "x.safetensors"
    ours = json.dumps({"aliases": aliases, "metadata": {}})
    path.write_bytes(file_of({"__metadata__": {"initlab": ours}, "a": ENTRY}))
    with pytest.raises(
        FormatError, match=r"x\.safetensors: (alias 'b' is of|'a' is both a tensor and an alias)"
    ):
        formats.get(path).read(path)


def test_the_official_library_takes_apart_every_dtype_we_write(tmp_path):
    from safetensors import deserialize

    path = tmp_path / "x.safetensors"
    ones = {name: np.ones((2, 3), dtypes.resolve(name)) for name in dtypes.NAMES}
    tensors = ones | {"scalar": np.array(3.5, np.float32), "empty": np.zeros((0, 3), np.float16)}
    formats.get(path).write(path, Snapshot(tensors, {"alias": "scalar"}, {"n": 1}))
    read = dict(deserialize(path.read_bytes()))
    assert {name: (entry["shape"], bytes(entry["data"])) for name, entry in read.items()} == {
        name: (list(array.shape), array.tobytes()) for name, array in tensors.items()
    }


def test_the_bytes_are_canonical_and_the_data_begins_at_a_multiple_of_eight(tmp_path):
    path = tmp_path / "x.safetensors"
    formats.get(path).write(
        path,
        Snapshot(
            {"b": np.ones(1, np.float32), "a": np.zeros(2, np.float16)},
            {"c": "a"},
            {"z": 1, "y": None},
        ),
    )
    header = (
        b'{"__metadata__":{"initlab":"{\\"aliases\\":{\\"c\\":\\"a\\"},\\"metadata\\":{\\"y\\":null,\\"z\\":1}}"},'
        b'"a":{"data_offsets":[0,4],"dtype":"F16","shape":[2]},"b":{"data_offsets":[4,8],"dtype":"F32","shape":[1]}}'
    )
    header += b" " * (-len(header) % 8)
    assert (
        path.read_bytes()
        == struct.pack("<Q", len(header)) + header + b"\0" * 4 + np.ones(1, np.float32).tobytes()
    )


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


def test_metadata_that_is_null_is_no_metadata(tmp_path):
    path = tmp_path / "x.safetensors"
    path.write_bytes(file_of({"__metadata__": None, "a": ENTRY}))
    for found in (formats.get(path).read(path), formats.safetensors.open_mapped(path)):
        assert list(found.tensors) == ["a"] and found.metadata == found.aliases == {}


def test_a_header_that_readers_refuse_is_not_written(tmp_path, monkeypatch):
    monkeypatch.setattr(safetensors, "LARGEST_HEADER", 200)
    path = tmp_path / "x.safetensors"
    tensors = {"a": np.ones(2, np.float32)}
    formats.get(path).write(path, Snapshot(tensors))
    assert list(formats.get(path).read(path).tensors) == ["a"]
    with pytest.raises(
        FormatError, match=r"the header would be [0-9]+ bytes long, and readers take"
    ):
        formats.get(path).write(path, Snapshot({"a" * 200: tensors["a"]}))
    assert list(formats.get(path).read(path).tensors) == ["a"]


@pytest.mark.parametrize("code", ["F8_E4M3", "F8_E5M2", "C64", "F4"])
def test_tensors_of_types_without_arrays_are_said_and_the_others_read(code, tmp_path):
    """Checkpoints in float8 have ordinary tensors beside the others."""
    size = {"C64": 64, "F4": 4}.get(code, 8)
    header = {
        "a": {"dtype": code, "shape": [8], "data_offsets": [0, size]},
        "b": {"dtype": "F32", "shape": [2], "data_offsets": [size, size + 8]},
    }
    text = json.dumps(header).encode()
    data = struct.pack("<Q", len(text)) + text + bytes(size) + bytes(8)
    path = tmp_path / "x.safetensors"
    path.write_bytes(data)
    for read in (formats.get(path).read, formats.get(path).open):
        found = read(path)
        assert (list(found.tensors), found.unread) == (["b"], {"a": f"it is of dtype {code}"})
    index = tmp_path / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"a": path.name, "b": path.name}}))
    assert formats.get(index).open(index).unread == {"a": f"it is of dtype {code}"}
    path.write_bytes(data[:-9] + data[-8:])
    with pytest.raises(FormatError, match="is cut short within its data"):
        formats.get(path).open(path)
