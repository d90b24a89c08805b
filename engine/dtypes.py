"""Element types by name: what NumPy has, and `bfloat16` through ml_dtypes where that is installed."""

from __future__ import annotations

from collections.abc import Hashable
from functools import lru_cache
from typing import cast

import numpy as np

from initlab.engine.arrays import DType
from initlab.engine.errors import MXNetError
from initlab.engine.registry import advice

NAMES = ("float16", "float32", "float64", "int8", "int32", "int64", "uint8", "bool", "bfloat16")


def resolve(dtype: object) -> np.dtype:
    """Return the NumPy dtype for a name, a NumPy scalar type or a dtype, in native byte order.
    Raises MXNetError if it is unknown, is not installed, or does not hold real numbers of at most
    64 bits.
    """
    if isinstance(dtype, str) and dtype == "bfloat16":
        return _bfloat16()
    try:
        return _resolved(dtype)
    except TypeError:  # not hashable
        return _resolved.__wrapped__(dtype)


@lru_cache(maxsize=256)
def _resolved(dtype: Hashable) -> np.dtype:
    try:
        found = None if dtype is None else np.dtype(cast(DType, dtype))
    except (TypeError, ValueError):
        found = None
    if found is None or not (
        found.kind in "biuf" and found.itemsize <= 8 or found.name == "bfloat16"
    ):
        raise MXNetError(f"no dtype {dtype!r} - {advice(str(dtype), NAMES)}")
    native: np.dtype = np.dtype(found.type)  # the one object of the type: found by identity
    return native


def name(dtype: object) -> str:
    """`float32` for any way of writing it."""
    return _name(resolve(dtype))


@lru_cache(maxsize=256)
def _name(dtype: np.dtype) -> str:
    return dtype.name


def _bfloat16() -> np.dtype:
    try:
        import ml_dtypes
    except ImportError:
        raise MXNetError(
            "dtype bfloat16 needs the package ml_dtypes - pip install 'initlab[bfloat16]'"
        ) from None
    bfloat16: np.dtype = np.dtype(ml_dtypes.bfloat16)
    return bfloat16
