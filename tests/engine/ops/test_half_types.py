"""Networks in float16 and bfloat16: what a primitive is given is what it gives."""

from __future__ import annotations

import numpy as np
import pytest
from op_cases import cases, joined

from initlab.engine import nd

MODULES = ("activation", "attention", "convolution", "elementwise", "linear", "normalization")
MODULES += ("padding", "pooling", "recurrent", "reduce", "shape", "special", "indexing")


@pytest.mark.parametrize(
    "case", [pytest.param(case.values, id=case.id) for name in MODULES for case in cases(name)]
)
def test_bfloat16_stays_bfloat16_where_float16_stays_float16(case):
    name, args, attributes = case

    def dtype_for(dtype: str) -> str:
        boxes = [nd.array(a, dtype=dtype) if isinstance(a, np.ndarray) else a for a in args]
        with np.errstate(all="ignore"):
            return np.dtype(joined(name)(*boxes, **attributes).dtype).name

    if dtype_for("float16") == "float16":
        assert dtype_for("bfloat16") == "bfloat16"
