"""Tensors of another library are made block by block, and give the same file whatever a block is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from initlab.engine import formats
from initlab.runner.export import tensors


def stored(path: Path) -> dict[str, np.ndarray]:
    return formats.get(path).read(path).tensors


@pytest.mark.parametrize("block", [1, 7, 1 << 20])
def test_values_are_the_same_whatever_is_moved_at_a_time(monkeypatch, tmp_path, block):
    monkeypatch.setattr(tensors, "BLOCK", block)
    values = np.arange(35, dtype=np.float32).reshape(5, 7)
    made = [
        tensors.same("same", values),
        tensors.swapped("swapped", values),
        tensors.swapped("empty", values[:0]),
        tensors.repeated("repeated", values[0], 2),
        tensors.filled("filled", (3, 5), "bfloat16", 1),
        tensors.filled("count", (), "int64", 0),
        tensors.same("big", values.astype(">f4")),
    ]
    placed = tensors.laid_out(made, {})
    path = tmp_path / "a.safetensors"
    tensors.write(path, tensors.content(made, placed))
    found = stored(path)
    assert np.array_equal(found["same"], values) and np.array_equal(found["big"], values)
    assert np.array_equal(found["swapped"], values.T)
    assert found["empty"].shape == (7, 0)
    assert np.array_equal(found["repeated"], np.repeat(values[0], 2))
    assert found["filled"].shape == (3, 5) and (found["filled"] == 1).all()
    assert found["count"].shape == () and found["count"] == 0
