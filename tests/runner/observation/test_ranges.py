"""The ranges of dtypes."""

from __future__ import annotations

import numpy as np
import pytest

from initlab.runner.observation.ranges import range_of


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_a_range_is_numpys(dtype):
    found, info = range_of(dtype), np.finfo(dtype)
    assert (found.largest, found.tiny) == (float(info.max), float(info.tiny))
    assert 0 < found.smallest < found.tiny and found.step == float(info.eps)


def test_bfloat16_has_the_range_of_float32_with_fewer_digits():
    found = range_of("bfloat16")
    assert 3.38e38 < found.largest < 3.4e38
    assert found.tiny == float(np.finfo("float32").tiny)
