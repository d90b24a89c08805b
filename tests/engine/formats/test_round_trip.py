"""Every format gives back what was written, in canonical bytes, and a file is whole or not there."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from engine import dtypes, formats
from engine.errors import FormatError
from engine.formats import Snapshot

DTYPES = ["float16", "float32", "float64", "bfloat16", "uint8", "int8", "int32", "int64", "bool"]
NAMES = ["safetensors", "npz"]


def same(a: np.ndarray, b: np.ndarray) -> bool:
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


def sample() -> Snapshot:
    tensors = {f"t.{name}": (np.arange(6).reshape(2, 3) % 2).astype(dtypes.resolve(name)) for name in DTYPES}
    tensors |= {"empty": np.zeros((0, 3), np.float32), "scalar": np.array(3.5, np.float32), "ключ": np.ones(2, np.float32)}
    return Snapshot(tensors, {"alias": "scalar"}, {"root-v1": "ab", "n": 1})


@pytest.mark.parametrize("name", NAMES)
def test_what_was_written_is_read(name, tmp_path):
    path = tmp_path / f"x{formats.get(name).suffix}"
    formats.get(name).write(path, sample())
    read = formats.get(path).read(path)
    assert set(read.tensors) == set(sample().tensors)
    assert all(same(read.tensors[key], value) for key, value in sample().tensors.items())
    assert (read.aliases, read.metadata) == (sample().aliases, sample().metadata)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=40, deadline=None)
@given(array=hnp.arrays(st.sampled_from([np.float32, np.float16, np.int64]), hnp.array_shapes(min_dims=0, max_dims=4, min_side=0)))
def test_any_array_survives(name, array):
    data = round_trip(name, Snapshot({"a": array}))
    assert same(data.tensors["a"], array)


def round_trip(name: str, snapshot: Snapshot) -> Snapshot:
    import io

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
    save_file({"a": np.ones((2, 3), np.float32), "b": np.arange(4)}, path, metadata={"made": "elsewhere"})
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
    formats.get(name).write(path, Snapshot({"a": np.arange(5, dtype=np.float32), "b.c": np.ones((2, 2), np.float16)}))
    whole = path.read_bytes()
    for length in range(0, len(whole), 3):
        path.write_bytes(whole[:length])
        with pytest.raises(FormatError, match=str(path)):
            formats.get(name).read(path)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=150, deadline=None)
@given(data=st.binary(max_size=200))
def test_any_bytes_are_read_or_refused_but_never_crash(name, data):
    try:
        formats.get(name).parse(data)
    except FormatError as error:
        assert str(error)


def test_a_format_is_chosen_by_name_or_suffix_and_an_unknown_one_is_refused():
    assert formats.get("npz") is formats.get("some/where.npz")
    with pytest.raises(FormatError, match=r"no snapshot format for 'x\.safetensor' - did you mean 'safetensors'\?"):
        formats.get("x.safetensor")
