"""Digests of values in memory and in a file agree; a file that is not as written is told."""

from __future__ import annotations

import numpy as np
import pytest

from initlab.engine import digest, formats
from initlab.runner.errors import EvidenceError
from initlab.runner.evidence.shard import Shard
from initlab.runner.evidence.snapshot import (
    Saved,
    digest_values,
    file_name,
    is_as_written,
    stored_digests,
)

VALUES = {
    "a": np.arange(6, dtype=np.float32).reshape(2, 3),
    "large": np.arange(digest.LEAF // 2, dtype=np.float32),
}
ALIASES = {"tied": "a"}


@pytest.fixture(params=["safetensors", "npz"])
def path(request, tmp_path):
    file_format = formats.get(request.param)
    path = tmp_path / file_name(file_format)
    file_format.write(path, formats.Snapshot(VALUES, ALIASES, {"root-v1": "r"}))
    return path


def test_the_name_says_the_format_or_the_part():
    assert file_name(formats.get("npz")) == "snapshot.npz"
    assert file_name(formats.get("safetensors"), Shard(1, 2)) == "model-00001-of-00002.safetensors"


def test_saved_values_and_their_digests_are_those_in_memory(path):
    saved, digests = Saved(path), digest_values(VALUES, ALIASES)
    assert list(saved) == ["a", "large", "tied"] and len(saved) == 3
    assert np.array_equal(saved["tied"], VALUES["a"]) and saved.metadata == {"root-v1": "r"}
    assert {name: saved.digest(name) for name in VALUES} == digests.tensors
    assert saved.digest("tied") == digests.tensors["a"]
    assert is_as_written(path, digests.tensors, ALIASES)
    assert not is_as_written(path, digests.tensors, {})


def test_digests_of_a_file_are_taken_leaf_by_leaf(tmp_path):
    path = tmp_path / "snapshot.safetensors"
    formats.get("safetensors").write(path, formats.Snapshot(VALUES, ALIASES))
    assert stored_digests(path) == (digest_values(VALUES, ALIASES).tensors, ALIASES)


def test_a_file_that_is_cut_short_or_missing_is_no_snapshot(path):
    path.write_bytes(path.read_bytes()[:-8])
    assert not is_as_written(path, {}, {})
    with pytest.raises(EvidenceError, match=str(path)):
        Saved(path)
    path.unlink()
    with pytest.raises(EvidenceError, match="the snapshot is missing - run the config again"):
        Saved(path)
