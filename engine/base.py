"""Classes and types that code written for MXNet imports from `mx.base`.

What belongs to MXNet's C library (`check_call`, `_LIB`, handles) is not here.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Generic, NoReturn, TypeVar

import numpy as np

from initlab.engine.errors import MXNetError

T = TypeVar("T")

string_types = (str,)
"""What counts as text, for `isinstance`."""
numeric_types = (float, int, np.generic)
"""What counts as a number, for `isinstance`."""
integer_types = (int, np.int32, np.int64)
"""What counts as a whole number, for `isinstance`."""
long = int
mx_real_t = np.float32
"""The dtype of new arrays."""
mx_uint = np.uint32

__all__ = [
    "MXNetError",
    "NotImplementedForSymbol",
    "NotSupportedForSparseNDArray",
    "classproperty",
    "data_dir",
    "integer_types",
    "long",
    "mx_real_t",
    "mx_uint",
    "numeric_types",
    "string_types",
]


class NotImplementedForSymbol(MXNetError):
    """An operation that MXNet has for arrays only; for code that catches it."""


class NotSupportedForSparseNDArray(MXNetError):
    """An operation that MXNet has for dense arrays only; for code that catches it."""


class classproperty(Generic[T]):  # noqa: N801
    """A property of a class: `@classproperty` above a function of the class."""

    def __init__(self, function: Callable[[Any], T]) -> None:
        self._function = function

    def __get__(self, instance: object, owner: type) -> T:
        return self._function(owner)


def data_dir() -> str:
    """Return the folder below which datasets are looked for: MXNET_HOME, else `~/.mxnet`."""
    return os.environ.get("MXNET_HOME") or str(Path.home() / ".mxnet")


def _as_list(obj: T | list[T] | tuple[T, ...]) -> list[T] | tuple[T, ...]:
    """Return a list or tuple as it is, and anything else as a list of one."""
    return obj if isinstance(obj, (list, tuple)) else [obj]


def __getattr__(name: str) -> NoReturn:
    raise AttributeError(
        f"mx.base.{name}: only types and errors of MXNet's module are here, nothing of its C library"
    )
