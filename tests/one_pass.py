"""Tensors to summarize in one pass, and summaries as text."""

from __future__ import annotations

import json

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from initlab.engine import dtypes
from initlab.runner.stats.onepass import BLOCK, Summary

FLOATS = ["float16", "float32", "float64"]


def tensors(dtype: str) -> st.SearchStrategy[np.ndarray]:
    """Up to 40 numbers of any kind, or of one magnitude."""
    of_any_kind = arrays.arrays(dtype, st.integers(0, 40))
    tame = arrays.arrays(
        dtype, st.integers(1, 40), elements=st.floats(-8, 8, width=np.dtype(dtype).itemsize * 8)
    )
    return st.one_of(of_any_kind, tame)


def mixed(dtype: str, size: int = 4 * BLOCK + 12_345) -> np.ndarray:
    """Normals with a few of everything else among them."""
    generator = np.random.default_rng(7)
    values = generator.standard_normal(size).astype(dtypes.resolve(dtype))
    for special in (0.0, -0.0, np.inf, -np.inf, np.nan, 6e-8):
        values[generator.integers(0, size, 5)] = special
    return values


def text(summary: Summary) -> str:
    return json.dumps(summary.to_json())
