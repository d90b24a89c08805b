"""Which runs can be exported: whole ones that kept their values, in any format."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from initlab.engine import formats
from initlab.runner.errors import EvidenceError
from initlab.runner.export.export import export

QUIET = ["probe=none", "diagnose=false"]


@pytest.fixture
def mlp(only_run) -> Path:
    return only_run("init=normal", *QUIET)


def stored(path: Path) -> dict[str, np.ndarray]:
    return formats.get(path).read(path).tensors


def test_what_is_no_whole_run_with_values_is_refused(mlp, only_run):
    with pytest.raises(EvidenceError, match="the run kept no snapshot - run it with snapshot="):
        export(only_run("init=normal", "snapshot=none", *QUIET), "torch")
    part = only_run("init=normal", "init_mode=streamed", "shard=1/2", *QUIET)
    with pytest.raises(EvidenceError, match="is part 1/2 of a run - join the parts first"):
        export(part, "torch")
    with pytest.raises(EvidenceError, match="no such folder"):
        export(mlp / "nowhere", "torch")
    (mlp / "manifest.json").rename(mlp / "moved.json")
    with pytest.raises(EvidenceError, match="no manifest, so the run did not finish"):
        export(mlp, "torch")


def test_a_run_whose_values_changed_is_refused(mlp):
    path = mlp / "snapshot.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(EvidenceError, match="a file is not as its manifest says"):
        export(mlp, "torch")


def test_a_joined_run_and_one_kept_as_npz_are_exported_too(only_run, command):
    words = ["init=normal", *QUIET]
    whole = stored(export(only_run(*words), "torch").path)
    parts = [str(only_run(*words, "init_mode=streamed", f"shard={i}/2")) for i in (1, 2)]
    joined = Path(command("join", *parts).out.split()[-1])
    npz = only_run(*words, "snapshot=npz")
    for folder in (joined, npz):
        found = stored(export(folder, "torch").path)
        assert {name: v.tobytes() for name, v in found.items()} == {
            name: v.tobytes() for name, v in whole.items()
        }
