"""What lies where weights should is said, with what to do."""

from __future__ import annotations

import io
import pickle
import struct
import zipfile

import pytest

from initlab.engine import formats
from initlab.engine.errors import FormatError


def zipped(name):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(name, b"x")
    return file.getvalue()


FOREIGN = {
    "torch.save": (zipped("archive/data.pkl"), "is a file of torch.save by its content - call"),
    "an old torch.save": (
        pickle.dumps(0x1950A86A20F9469CFC6C, 2),
        "is a file of torch.save by its content - call it FILE.pth",
    ),
    "pickle": (pickle.dumps({"a": 1}, 5), "is a pickle, which can run code when it is read"),
    "HDF5": (b"\x89HDF\r\n\x1a\n" + bytes(90), "is an HDF5 file"),
    "one array": (b"\x93NUMPY\x01\x00" + bytes(90), "is one array without a name (.npy)"),
    "GGUF": (b"GGUF\x03" + bytes(90), "is a GGUF file"),
}


@pytest.mark.parametrize("what", FOREIGN)
@pytest.mark.parametrize("suffix", ["safetensors", "npz", "params"])
def test_weights_of_another_kind_under_a_wrong_name_are_said(what, suffix, tmp_path):
    content, said = FOREIGN[what]
    path = tmp_path / f"model.{suffix}"
    path.write_bytes(content)
    for read in (formats.get(path).read, formats.get(path).open):
        with pytest.raises(FormatError) as found:
            read(path)
        assert str(found.value).startswith(f"{path}: {said}"), found.value


@pytest.mark.parametrize("first", [b"\x80\x02" + bytes(6), b"\x80\x04\x05" + bytes(5)])
def test_a_header_whose_length_looks_like_a_pickle_is_read(first, tmp_path):
    path = tmp_path / "x.safetensors"
    (length,) = struct.unpack("<Q", first)
    path.write_bytes(first + b"{}".ljust(length))
    assert formats.get(path).read(path).tensors == {}


@pytest.mark.parametrize("name", ["a.pkl", "a.pickle", "a.joblib"])
def test_a_pickle_is_refused_by_its_name(name):
    with pytest.raises(FormatError) as found:
        formats.get(name)
    assert str(found.value).startswith(f"{name}: is a pickle by its name, which can run code")
    assert "safetensors.torch.save_file(" in str(found.value)


@pytest.mark.parametrize(("name", "what"), [("a.keras", "a Keras model"), ("a.npy", "one array")])
def test_weights_of_other_libraries_are_refused_by_their_name(name, what):
    with pytest.raises(FormatError, match=f"^{name}: is {what}.* by its name.* - "):
        formats.get(name)
