"""The compiled kernels give the bits of NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from one_pass import FLOATS, mixed, text

from initlab.runner.stats.onepass import BLOCK, summarize


@pytest.mark.parametrize("dtype", [*FLOATS, "int32", "bfloat16"])
@pytest.mark.parametrize("size", [1, 511, 512, 513, BLOCK, 4 * BLOCK + 12_345])
def test_numba_gives_the_bits_of_numpy(dtype, size):
    pytest.importorskip("numba")
    pytest.importorskip("ml_dtypes")
    values = (
        mixed(dtype, size)
        if dtype != "int32"
        else np.arange(-size // 2, size - size // 2, dtype=np.int32)
    )
    assert text(summarize(values, implementation="numba")) == text(
        summarize(values, implementation="numpy")
    )
