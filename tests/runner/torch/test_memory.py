"""Arrays and tensors over one memory."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pip install 'initlab[torch]'")

from initlab.engine import dtypes  # noqa: E402
from initlab.runner.torch.memory import array_over, tensor_over  # noqa: E402


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bfloat16", "int64"])
@pytest.mark.parametrize("shape", [(3, 4), (), (0, 2)])
def test_a_tensor_and_an_array_share_memory_and_values(dtype, shape):
    array = np.arange(np.prod(shape, dtype=int)).reshape(shape).astype(dtypes.resolve(dtype))
    tensor = tensor_over(array)
    assert tuple(tensor.shape) == shape and str(tensor.dtype) == f"torch.{dtype}"
    assert np.array_equal(array_over(tensor).astype(float), array.astype(float))
    if array.size > 1:
        tensor[0] = 7
        assert (array[0] == 7).all()


def test_a_read_only_array_is_seen_without_a_warning_and_without_a_copy():
    array = np.arange(6, dtype=np.float32)
    view = array.view()
    view.flags.writeable = False
    tensor = tensor_over(view)
    array[0] = 5
    assert tensor.tolist() == [5, 1, 2, 3, 4, 5]
