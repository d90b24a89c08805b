"""Values of tensors as arrays."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

import numpy as np  # noqa: E402

from initlab.runner.torch.watch.record.arrays import array  # noqa: E402


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "int64", "bool", "bfloat16"])
def test_every_type_that_numpy_has_keeps_its_values(dtype):
    tensor = torch.tensor([[0.0, 1.0], [1.0, 0.0]]).to(getattr(torch, dtype)).t()
    values = array(tensor)
    assert values.astype(np.float64).tolist() == tensor.to(torch.float64).tolist()


def test_types_without_an_array_give_none():
    assert array(torch.zeros(2, dtype=torch.complex64)) is None
    assert array(torch.zeros(2).to(torch.float8_e5m2)) is None
    assert array(torch.zeros(2, 2).to_sparse()) is None
