"""The initializers of ONNX models are read as the official library reads them."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from foreign_files import FOLDER, check_read

from initlab.engine import formats
from initlab.engine.errors import FormatError


def field(number, content):
    if isinstance(content, int):
        return bytes([number << 3]) + varint(content)
    return bytes([number << 3 | 2]) + varint(len(content)) + content


def varint(value):
    out = b""
    while value >= 0x80:
        out, value = out + bytes([value & 0x7F | 0x80]), value >> 7
    return out + bytes([value])


def model(*fields):
    return field(7, field(5, b"".join(field(n, c) for n, c in fields)))


@pytest.mark.parametrize("name", ["model.onnx", "beside.onnx"])
def test_tensors_are_those_that_onnx_gives(name):
    check_read(name)


def test_a_file_beside_the_model_that_is_missing_is_named(tmp_path):
    shutil.copy(FOLDER / "beside.onnx", tmp_path)
    with pytest.raises(FormatError, match="in beside.data, which is missing - copy that file"):
        formats.get("onnx").open(tmp_path / "beside.onnx")
    (tmp_path / "beside.data").write_bytes(bytes(10))
    with pytest.raises(FormatError, match="in beside.data, which is cut short: 10 bytes are there"):
        formats.get("onnx").open(tmp_path / "beside.onnx")


@pytest.mark.parametrize("place", ["/etc/hostname", "../x", ""])
def test_a_file_elsewhere_is_not_read(place, tmp_path):
    external = field(13, field(1, b"location") + field(2, place.encode()))
    path = tmp_path / "x.onnx"
    tensor = field(1, 1) + field(2, 1) + field(8, b"w") + external + field(14, 1)
    path.write_bytes(field(7, field(5, tensor)))
    with pytest.raises(FormatError, match="which is not beside it"):
        formats.get(path).open(path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"<html>", "is a web page"),
        (field(7, field(1, b"node")), "has no initializers"),
        (model((1, 3), (2, 1), (8, b"w"), (9, bytes(8))), "needs 3 elements, 2 are there"),
        (model((1, 3), (2, 1), (8, b"w"), (9, bytes(7))), "has 7 bytes, no multiple of 4"),
        (model((1, 2**62), (1, 4), (2, 1), (8, b"w"), (9, b"")), "needs 18446744073709551616 elem"),
        (model((1, 2**63), (1, 0), (2, 1), (8, b"w"), (9, b"")), "has the impossible shape"),
        (field(7, b"\x2a\x7f"), "127 bytes announced, 0 there"),
        (b"\x3a" + b"\xff" * 11, "a number has no end"),
        (b"\x3b\x01", "a field is of the unknown type 3"),
        (b"\x00\x01", "a field has no number"),
        (model((8, b"\xff")), "a name is no text"),
        (model((1, bytes(70)), (2, 1)), "has too many axes"),
        (field(7, field(5, field(2, 1)) * 2), "needs 1 elements, 0 are there"),
    ],
)
def test_damage_is_said_with_its_place(content, said, tmp_path):
    path = tmp_path / "x.onnx"
    path.write_bytes(content)
    with pytest.raises(FormatError) as found:
        formats.get(path).open(path)
    assert said in str(found.value) and str(found.value).startswith(f"{path}: ")


def test_types_that_numpy_does_not_have_are_said_and_the_others_read(tmp_path):
    path = tmp_path / "x.onnx"
    tensors = [(b"text", 8), (b"four bits", 22), (b"new", 99), (b"w", 1)]
    raw = b"".join(field(5, field(1, 1) + field(2, t) + field(8, n) + field(9, bytes(4))) for n, t in tensors)  # fmt: skip
    path.write_bytes(field(7, raw + field(15, b"")))
    found = formats.get(path).open(path)
    assert found.tensors["w"].tolist() == [0]
    assert found.unread == {
        "text": "it is of type text",
        "four bits": "it is of type int4",
        "new": "it is of type 99",
        "sparse_initializer": "it is a sparse tensor",
    }


def test_a_file_is_mapped():
    found = formats.get("onnx").open(FOLDER / "model.onnx").tensors["float"]
    base = found
    while isinstance(base.base, np.ndarray):
        base = base.base
    assert isinstance(base, np.memmap) or base.base is not None


def test_models_are_not_written(tmp_path):
    with pytest.raises(FormatError, match="only read"):
        formats.get("onnx").write(tmp_path / "x.onnx", formats.Snapshot({}))
