"""Every format gives back what was written, in canonical bytes, and a file is whole or not there."""

from __future__ import annotations

import hashlib
import io
import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from snapshots import flipped, round_trip, same, sample, snapshots

from initlab.engine import formats, nd
from initlab.engine.errors import FormatError, MXNetError
from initlab.engine.formats import Snapshot, base

NAMES = ["safetensors", "npz"]


@pytest.mark.parametrize("name", NAMES)
def test_what_was_written_is_read(name, tmp_path):
    path = tmp_path / f"x{formats.get(name).suffix}"
    formats.get(name).write(path, sample())
    read = formats.get(path).read(path)
    assert set(read.tensors) == set(sample().tensors)
    assert all(same(read.tensors[key], value) for key, value in sample().tensors.items())
    assert (read.aliases, read.metadata) == (sample().aliases, sample().metadata)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=60, deadline=None)
@given(snapshot=snapshots())
def test_any_snapshot_survives(name, snapshot):
    read = round_trip(name, snapshot)
    assert set(read.tensors) == set(snapshot.tensors)
    assert all(same(read.tensors[key], value) for key, value in snapshot.tensors.items())
    assert (read.aliases, read.metadata) == (snapshot.aliases, snapshot.metadata)


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


POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"
OTHERS = {
    "a pointer": (
        POINTER,
        "is a Git LFS pointer, not the file it stands for - fetch that with git",
    ),
    "a page": (
        b"\n<!DOCTYPE html>\n<html><body>404",
        "is a web page (HTML), not weights - download",
    ),
    "a page with a mark": (b"\xef\xbb\xbf<html>", "is a web page (HTML), not weights - download"),
    "an answer": (b'{"error": "not found"}', "is the answer of a server, not weights - download"),
    "a refusal": (b"<?xml version='1.0'?><Error/>", "is the answer of a server, not weights"),
}


@pytest.mark.parametrize("what", OTHERS)
@pytest.mark.parametrize("suffix", ["safetensors", "npz", "params", "index.json"])
def test_what_lies_in_the_place_of_weights_is_said(what, suffix, tmp_path):
    content, said = OTHERS[what]
    path = tmp_path / f"model.{suffix}"
    path.write_bytes(content)
    readers = [formats.get(path).read]
    if suffix == "safetensors":
        readers.append(formats.safetensors.open_mapped)
    if suffix == "index.json" and content.startswith(b"{"):
        said = "is no index of a sharded snapshot"
    for read in readers:
        with pytest.raises(FormatError) as found:
            read(path)
        assert str(found.value).startswith(f"{path}: {said}"), found.value
        assert "write the file again" not in str(found.value)


def test_a_folder_is_no_snapshot_and_those_in_it_are_named(tmp_path):
    for name in ("snapshot.safetensors", "plan.json", "notes.txt"):
        (tmp_path / name).touch()
    with pytest.raises(FormatError) as found:
        formats.get(tmp_path)
    assert (
        str(found.value)
        == f"{tmp_path}: is a folder - give the file in it: {tmp_path}/snapshot.safetensors"
    )
    (tmp_path / "snapshot.safetensors").unlink()
    with pytest.raises(
        FormatError, match=": is a folder without a snapshot - give a file. Known: "
    ):
        formats.get(tmp_path)


def test_mxnets_own_message_says_it_too(tmp_path):
    path = tmp_path / "x.params"
    path.write_bytes(POINTER)
    with pytest.raises(MXNetError) as found:
        nd.load(str(path))
    assert "Invalid NDArray file format (it is a Git LFS pointer, not the file" in str(found.value)
