"""A snapshot in several files: the index, its parts, and what does not fit."""

from __future__ import annotations

import json

import numpy as np
import pytest

from initlab.engine import formats
from initlab.engine.errors import FormatError
from initlab.engine.formats import Snapshot
from initlab.engine.formats.sharded import Sharded, files_of, open_sharded


@pytest.fixture
def index(tmp_path):
    """An index of two files with one tensor each."""
    for name, value in (("a", 1.0), ("b", 2.0)):
        part = Snapshot({f"{name}.weight": np.full((2, 3), value, np.float32)}, {}, {})
        formats.get("safetensors").write(tmp_path / f"{name}.safetensors", part)
    path = tmp_path / "model.safetensors.index.json"
    files = {"a.weight": "a.safetensors", "b.weight": "b.safetensors"}
    path.write_text(json.dumps({"weight_map": files}))
    return path


@pytest.mark.parametrize("read", [Sharded().read, open_sharded])
def test_all_parts_are_one_snapshot(read, index):
    whole = read(index)
    assert sorted(whole.tensors) == ["a.weight", "b.weight"]
    assert (whole.tensors["b.weight"] == 2).all()


def test_a_part_that_is_missing_is_named(index):
    (index.parent / "b.safetensors").unlink()
    with pytest.raises(FormatError, match="names 2 files, 1 are there: b.safetensors is missing"):
        files_of(index)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"weight_map": {"a": "../a.safetensors"}}'])
def test_an_invalid_index_is_refused(text, index):
    index.write_text(text)
    with pytest.raises(FormatError, match="is empty|is damaged|is no index of a sharded snapshot"):
        files_of(index)


def test_an_index_that_does_not_match_its_files_is_refused(index):
    files = {"a.weight": "b.safetensors", "b.weight": "a.safetensors"}
    index.write_text(json.dumps({"weight_map": files}))
    with pytest.raises(FormatError, match="which is not so"):
        Sharded().read(index)


def test_an_index_alone_is_neither_written_nor_parsed():
    with pytest.raises(FormatError, match="made of several files"):
        Sharded().dump(None, Snapshot({}, {}, {}))
    with pytest.raises(FormatError, match="holds no tensors"):
        Sharded().parse(b"{}")
