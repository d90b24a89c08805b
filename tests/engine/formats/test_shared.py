"""A file is opened once as long as somebody uses it."""

from __future__ import annotations

import gc

import numpy as np
import pytest

from initlab.engine import formats
from initlab.engine.errors import FormatError
from initlab.engine.formats import Snapshot, open_shared


@pytest.mark.parametrize("suffix", [".safetensors", ".npz", ".params"])
def test_the_same_file_is_the_same_snapshot_until_it_is_written_again(suffix, tmp_path):
    path = tmp_path / f"a{suffix}"
    formats.get(str(path)).write(path, Snapshot({"w": np.ones(3, np.float32)}))
    first = open_shared(path)
    assert open_shared(str(path)) is first
    formats.get(str(path)).write(path, Snapshot({"w": np.full(3, 2, np.float32)}))
    assert open_shared(path).tensors["w"].tolist() == [2, 2, 2]
    assert first.tensors["w"].tolist() == [1, 1, 1]


def test_nothing_is_kept_that_nobody_uses(tmp_path):
    path = tmp_path / "a.npz"
    formats.get("npz").write(path, Snapshot({"w": np.ones(3)}))
    open_shared(path)
    gc.collect()
    assert not formats.shared._opened


def test_damage_is_refused_by_name(tmp_path):
    path = tmp_path / "a.safetensors"
    path.write_bytes(b"nothing")
    with pytest.raises(FormatError, match="a.safetensors: is cut short"):
        open_shared(path)
