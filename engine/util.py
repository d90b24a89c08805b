"""Functions that code written for MXNet imports from `mx.util`.

MXNet's second interface, `mx.np`, is not here (docs/gluon-differences.md). Questions about it are
answered with no; switching it on raises MXNetError.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn, TypeVar

from initlab.engine.device import gpu_memory_info, num_gpus
from initlab.engine.errors import MXNetError

T = TypeVar("T")

ABSENT = "mx.np is not here: write mx.nd, which has the same functions under MXNet's own names"
__all__ = [
    "get_gpu_count",
    "get_gpu_memory",
    "getenv",
    "is_np_array",
    "is_np_shape",
    "np_array",
    "np_shape",
    "reset_np",
    "set_module",
    "set_np",
    "set_np_shape",
    "setenv",
    "use_np",
    "use_np_array",
    "use_np_shape",
]


def is_np_array() -> bool:
    """Return whether blocks give arrays of `mx.np`: never."""
    return False


def is_np_shape() -> bool:
    """Return whether shapes have NumPy's meaning, with 0 for an empty axis: never."""
    return False


def set_np(shape: bool = True, array: bool = True) -> None:
    """Do nothing if both are False, else raise MXNetError."""
    if shape or array:
        raise MXNetError(f"set_np: {ABSENT}")


def reset_np() -> None:
    """Do nothing: `mx.np` is never switched on."""


def set_np_shape(active: bool) -> bool:
    """Return False, the state before. Raises MXNetError if `active`."""
    set_np(shape=active, array=False)
    return False


@contextmanager
def np_shape(active: bool = True) -> Iterator[None]:
    """Do nothing inside a `with`. Raises MXNetError if `active`."""
    set_np(shape=active, array=False)
    yield


@contextmanager
def np_array(active: bool = True) -> Iterator[None]:
    """Do nothing inside a `with`. Raises MXNetError if `active`."""
    set_np(shape=False, array=active)
    yield


def use_np(func: object) -> NoReturn:
    """Raise MXNetError: this decorator lets code see arrays of `mx.np`."""
    raise MXNetError(f"use_np on {getattr(func, '__name__', func)}: {ABSENT}")


use_np_array = use_np_shape = use_np


def set_module(module: str) -> Callable[[T], T]:
    """Return a decorator that sets the attribute `__module__`."""

    def decorate(function: T) -> T:
        function.__module__ = module
        return function

    return decorate


def get_gpu_count() -> int:
    """Return the number of GPUs."""
    return num_gpus()


def get_gpu_memory(gpu_dev_id: int) -> tuple[int, int]:
    """Return (free, total) bytes of a GPU's memory. Raises MXNetError if there is no such GPU."""
    return gpu_memory_info(gpu_dev_id)


def getenv(name: str) -> str | None:
    """Return an environment variable, or None if it is not set."""
    return os.environ.get(name)


def setenv(name: str, value: str | None) -> None:
    """Set an environment variable of this process, or remove it if `value` is None."""
    if value is None:
        os.environ.pop(name, None)
    else:
        os.environ[name] = value
