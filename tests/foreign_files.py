"""Files that torch, onnx and h5py wrote (`engine/formats/made_by_others`), and what they hold."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

FOLDER = Path(__file__).parent / "engine" / "formats" / "made_by_others"
NEEDS_H5PY = pytest.mark.skipif(
    importlib.util.find_spec("h5py") is None, reason="h5py is not installed"
)


def expected(name: str) -> dict[str, np.ndarray]:
    """Return the values of a file's tensors, in float64, as the library gives them."""
    with np.load(FOLDER / "expected.npz", allow_pickle=False) as found:
        return {
            key.partition(":")[2].replace("|", "/"): found[key]
            for key in found.files
            if key.partition(":")[0] == name.removeprefix("old_")
        }


def check_read(name: str) -> None:
    """Check that a file's tensors are those that the library gives, mapped and read."""
    from initlab.engine import formats

    path = FOLDER / name
    for found in (formats.get(path).open(path), formats.get(path).read(path)):
        values = found.tensors | {key: found.tensors[own] for key, own in found.aliases.items()}
        wanted = expected(name)
        assert set(values) == set(wanted)
        for key, value in wanted.items():
            assert values[key].shape == value.shape, key
            assert np.array_equal(values[key].astype(np.float64), value, equal_nan=True), key
