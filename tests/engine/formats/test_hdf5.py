"""The datasets of HDF5 files are read as h5py gives them."""

from __future__ import annotations

import importlib.util
import tracemalloc

import numpy as np
import pytest
from foreign_files import FOLDER, NEEDS_H5PY, expected

from initlab.engine import formats
from initlab.engine.errors import FormatError
from initlab.engine.formats import scratch

PATH = FOLDER / "keras.h5"


@NEEDS_H5PY
def test_datasets_are_those_that_h5py_gives():
    found = formats.get(PATH).open(PATH)
    values = found.tensors | {name: found.tensors[own] for name, own in found.aliases.items()}
    assert {name: value.tolist() for name, value in values.items() if name != "a_tie"} == {
        name: value.tolist() for name, value in expected("keras.h5").items()
    }
    assert found.aliases == {"packed": "a_tie"}
    assert found.unread == {"text": "it is of dtype object"}
    assert all(value.dtype.isnative for value in values.values())


@NEEDS_H5PY
@pytest.mark.parametrize("part", [0.1, 0.5, 0.95])
def test_a_file_cut_short_is_refused(part, tmp_path):
    path = tmp_path / "x.h5"
    path.write_bytes(PATH.read_bytes()[: int(part * PATH.stat().st_size)])
    with pytest.raises(FormatError, match=r"is damaged or cut short \(|is cut short within"):
        formats.get(path).open(path)


@NEEDS_H5PY
def test_a_dataset_larger_than_its_file_is_said(tmp_path):
    import h5py

    path = tmp_path / "x.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("huge", (10**9, 10**6), "f4", chunks=(1000, 1000))
        file["w"] = [1.0]
    found = formats.get(path).open(path)
    assert list(found.tensors) == ["w"]
    assert found.unread == {
        "huge": "it says that it has 4000000000000000 bytes, and 0 are in the file"
    }


@NEEDS_H5PY
def test_the_bytes_of_a_file_are_parsed():
    assert formats.get("hdf5").parse(PATH.read_bytes()).tensors["flag"].tolist() == [True, False]


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"", "is empty - download"), (b"<html>", "is a web page"), (b"x", "is no HDF5")],
)
def test_another_kind_of_file_is_said(content, said, tmp_path):
    path = tmp_path / "x.hdf5"
    path.write_bytes(content)
    with pytest.raises(FormatError, match=said):
        formats.get(path).open(path)


def test_without_h5py_the_package_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "h5py", None)
    with pytest.raises(
        FormatError, match=r"needs the package h5py - pip install 'initlab\[hdf5\]'$"
    ):
        formats.get(PATH).open(PATH)


def test_files_of_hdf5_are_not_written(tmp_path):
    with pytest.raises(FormatError, match="only read"):
        formats.get("hdf5").write(tmp_path / "x.h5", formats.Snapshot({}))


def test_h5py_is_looked_for():
    assert NEEDS_H5PY.args[0] is (importlib.util.find_spec("h5py") is None)


@NEEDS_H5PY
@pytest.mark.parametrize("in_memory", [0, 1 << 24])
def test_chunks_are_unpacked_the_same_in_memory_and_in_a_file(in_memory, monkeypatch, tmp_path):
    import h5py

    monkeypatch.setattr(scratch, "IN_MEMORY", in_memory)
    values = np.random.default_rng(0).normal(size=(130, 70)).astype(np.float32)
    tensors = {
        "chunked": (values, {"chunks": (16, 32)}),
        "compressed": (values, {"compression": "gzip"}),
        "growing": (values, {"maxshape": (None, 70), "chunks": (400, 70)}),
        "other_order": (values.astype(">f4"), {}),
        "mask": (values > 0, {}),
        "nothing": (np.zeros((0, 4), np.float32), {"maxshape": (None, 4), "chunks": (8, 4)}),
        "one": (np.array(True), {}),
    }
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        for name, (array, options) in tensors.items():
            file.create_dataset(name, data=array, **options)
    found = formats.get(path).open(path).tensors
    assert found.keys() == tensors.keys()
    for name, (array, _) in tensors.items():
        assert found[name].shape == array.shape and np.array_equal(found[name], array)


@NEEDS_H5PY
def test_a_compressed_dataset_is_opened_in_little_memory(tmp_path):
    import h5py

    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        for name in ("a", "b"):
            file.create_dataset(
                name, data=np.ones((4096, 1024), np.float32), compression="gzip", chunks=(64, 1024)
            )
    tracemalloc.start()
    found = formats.get(path).open(path).tensors
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (found["b"][::100] == 1).all() and peak < 6e6
