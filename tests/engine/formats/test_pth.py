"""Files of torch.save are read as torch reads them; nothing in them runs, and no claim of theirs is
believed.
"""

from __future__ import annotations

import io
import os
import pickle
import struct
import zipfile

import numpy as np
import pytest
from foreign_files import FOLDER, check_read, expected

from initlab.engine import formats
from initlab.engine.errors import FormatError

MADE = ["state.pth", "old_state.pth", "checkpoint.pt", "old_checkpoint.pt", "views.bin",
        "old_views.bin", "whole.pt", "scripted.pt"]  # fmt: skip


@pytest.mark.parametrize("name", MADE)
def test_tensors_are_those_that_torch_gives(name):
    check_read(name)


@pytest.mark.parametrize("name", ["state.pth", "old_state.pth", "whole.pt"])
def test_tensors_that_share_a_storage_are_ties(name):
    found = formats.get(name).open(FOLDER / name)
    assert found.aliases["head.weight"] == "embed.weight" or found.aliases == {
        "embed.weight": "head.weight"
    }


@pytest.mark.parametrize("name", ["unread.pt", "old_unread.pt"])
def test_tensors_that_are_no_plain_arrays_are_said_and_the_others_read(name):
    found = formats.get(name).open(FOLDER / name)
    assert set(found.tensors) == {"whole"}
    assert found.unread == {
        "complex": "it is of dtype ComplexFloat",
        "sparse": "it is a sparse tensor of torch, whose values are no plain array",
        "spread": "its view has more elements than it has numbers to show",
        "meta": "it is a meta tensor no storage of torch, whose values are no plain array",
        "float8": "it is of dtype float8_e4m3fn",
    }


def test_a_file_is_mapped_and_changes_are_not_written(tmp_path):
    path = tmp_path / "copy.pth"
    before = (FOLDER / "state.pth").read_bytes()
    path.write_bytes(before)
    formats.get(path).open(path).tensors["cell.weight_ih_l0"][:] = 0
    assert path.read_bytes() == before


class _Evil:
    def __init__(self, place):
        self.place = place

    def __reduce__(self):
        return os.mkdir, (self.place,)


def zipped(path, **members):
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(
                f"archive/{name.replace('_', '/', 1) if name != 'pickle' else 'data.pkl'}", content
            )
    return path


def view(shape, strides, offset=0, count=3, key="0"):
    """A pickle of {'w': tensor}, as torch writes it."""
    out = io.BytesIO()

    class Pickler(pickle._Pickler):
        def persistent_id(self, value):
            return value if isinstance(value, tuple) and value[:1] == ("storage",) else None

        def save_type(self, value):
            self.write(b"ctorch\nFloatStorage\n")

        dispatch = {**pickle._Pickler.dispatch, type: save_type}

    class Tensor:
        def __reduce__(self):
            return _rebuilt, (("storage", int, key, "cpu", count), offset, shape, strides)

    Pickler.dispatch[type(_rebuilt)] = lambda self, value: self.write(
        b"ctorch._utils\n_rebuild_tensor_v2\n"
    )
    Pickler(out, 2).dump({"w": Tensor()})
    return out.getvalue()


def _rebuilt(*given):
    raise AssertionError("nothing of a file runs")


ONES = np.ones(3, "<f4").tobytes()


def test_the_crafted_file_is_read(tmp_path):
    path = zipped(tmp_path / "x.pt", pickle=view((3,), (1,)), data_0=ONES)
    assert formats.get(path).open(path).tensors["w"].tolist() == [1, 1, 1]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (view((4,), (1,)), "reaches beyond its storage"),
        (view((3,), (-1,), 2), "has the number -1 in a tensor"),
        (view((100000, 100000), (1, 1)), "reaches beyond its storage"),
        (view((1,), (1,), 2**30), "reaches beyond its storage"),
        (view((3,), (1,), count=10**9), "has 12 bytes, 4000000000 announced"),
        (view((3,), (1, 1)), "without proper strides"),
        (view((2**63, 0), (1, 1)), "has the number 9223372036854775808"),
        (view((3,), (1,), key="../0"), "the storage of 'w' is missing"),
        (pickle.dumps({"a": 1}, 2), "has no tensors, so it is no file of weights"),
        (b"\x80\x02" + b"]" * 3000 + b"a" * 2999 + b".", "is nested more than 100 deep"),
        (b"\x80\x02" + b"(" * 100000, "its pickle ends too early"),
        (b"\x80\x02" + b"]0" * 2000000 + b"N.", "more objects than a file of its size needs"),
        (
            b"\x80\x02}q\x00(" + b"h\x00" * 10 + b"u.",
            "is damaged: its pickle has a dict with a key",
        ),
        (b"\x80\x02" + b"N" + b"2\x86" * 100 + b".", "has no tensors"),
        (b"\x80\x02\x82\x01.", "has the opcode b'\\x82', which no tensor needs"),
    ],
)
def test_what_a_file_claims_is_checked(content, said, tmp_path):
    path = zipped(tmp_path / "x.pt", pickle=content, data_0=ONES)
    with pytest.raises(FormatError) as found:
        formats.get(path).open(path)
    assert said in str(found.value) and str(found.value).startswith(f"{path}: ")


def test_a_list_within_itself_is_read_once(tmp_path):
    path = zipped(tmp_path / "x.pt", pickle=b"\x80\x02]q\x00h\x00a.")
    with pytest.raises(FormatError, match="has no tensors"):
        formats.get(path).open(path)


def test_no_code_of_a_file_runs(tmp_path):
    place = tmp_path / "ran"
    raw = pickle.dumps({"x": _Evil(str(place))}, 2)
    for path in (zipped(tmp_path / "x.pt", pickle=raw), tmp_path / "x.bin"):
        if not path.exists():
            path.write_bytes(raw)
        with pytest.raises(FormatError):
            formats.get(path).open(path)
    assert not place.exists()


def test_a_compressed_archive_is_refused_without_unpacking(tmp_path):
    path = tmp_path / "bomb.pt"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", view((3,), (1,)))
        archive.writestr("archive/data/0", bytes(30 << 20))
    with pytest.raises(FormatError, match="compressed or encrypted"):
        formats.get(path).open(path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "is a Git LFS pointer"),
        (b"<!DOCTYPE html><html>", "is a web page \\(HTML\\)"),
        (struct.pack("<Q", 2) + b"{}", "is a safetensors file by its content - call it FILE.saf"),
        (b"\x89HDF\r\n\x1a\n" + bytes(99), "is an HDF5 file by its content - call it FILE.h5"),
        (b"\x80\x02K\x01.", "is a pickle, but none of torch.save"),
        (b"some text", "is damaged: its pickle"),
    ],
)
def test_another_kind_of_file_is_said(content, said, tmp_path):
    path = tmp_path / "model.bin"
    path.write_bytes(content)
    for read in (formats.get(path).open, formats.get(path).read):
        with pytest.raises(FormatError, match=said):
            read(path)


@pytest.mark.parametrize("name", MADE)
@pytest.mark.parametrize("part", [0.1, 0.5, 0.9, 0.999])
def test_a_file_cut_short_is_refused(name, part, tmp_path):
    path = tmp_path / name
    whole = (FOLDER / name).read_bytes()
    path.write_bytes(whole[: int(part * len(whole))])
    with pytest.raises(FormatError):
        formats.get(path).open(path)


def test_files_of_torch_are_not_written(tmp_path):
    with pytest.raises(FormatError, match="only read - write .safetensors"):
        formats.get("pth").write(tmp_path / "x.pth", formats.Snapshot({}))


def test_torch_itself_agrees(tmp_path):
    torch = pytest.importorskip("torch", reason="torch is not installed")
    torch.manual_seed(1)
    net = torch.nn.TransformerEncoderLayer(8, 2, 16)
    path = tmp_path / "net.pth"
    torch.save(net.state_dict(), path)
    found = formats.get(path).open(path).tensors
    assert {name: value.tolist() for name, value in found.items()} == {
        name: value.tolist() for name, value in net.state_dict().items()
    }


def test_the_values_to_compare_with_are_there():
    assert all(expected(name) for name in MADE)
