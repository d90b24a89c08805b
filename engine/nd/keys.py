"""Conversion of the key in `x[key]` to one for a raw array, with MXNet's errors for invalid keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Raw = Callable[[Any], Any]
"""Converts an array-like of indices to a raw array of the device; returns None for anything else."""

BOOLEAN = (
    "Cannot perform boolean indexing in legacy mode. Choose with nd.contrib.boolean_mask(data, mask), or "
    "with nd.where(mask, x, y) to keep "
    "the shape."
)


def resolve(key: Any, shape: tuple[int, ...], raw: Raw) -> Any:
    """Convert an index to plain numbers, slices, None, Ellipsis and raw int64 arrays.

    `raw` converts an array-like of indices to a raw array. Raises IndexError if a number is out of
    range or there are too many indices, and ValueError for masks and other invalid keys.
    """
    if type(key) is int:
        check_number(key, 0, shape)
        return key
    parts = [_part(part, raw) for part in (key if isinstance(key, tuple) else (key,))]
    count = sum(part is not None and part is not Ellipsis for part in parts)
    if count > len(shape):
        raise IndexError(f"too many indices ({count}) for array with {len(shape)} dimensions")
    if sum(part is Ellipsis for part in parts) > 1:
        raise IndexError("Cannot use more than one ellipsis (`...`) for indexing")
    axis = 0
    for part in parts:
        if part is Ellipsis:
            axis += len(shape) - count
        elif part is not None:
            if isinstance(part, int):
                check_number(part, axis, shape)
            axis += 1
    return tuple(parts) if isinstance(key, tuple) else parts[0]


def check_number(number: int, axis: int, shape: tuple[int, ...]) -> None:
    """Raise IndexError if `number` is out of range for axis `axis` of an array of shape `shape`."""
    if not -shape[axis] <= number < shape[axis]:
        raise IndexError(f"index {number} is out of bounds for axis {axis} with size {shape[axis]}")


def _part(part: Any, raw: Raw) -> Any:
    if part is None or part is Ellipsis:
        return part
    if isinstance(part, slice):
        if part.step == 0:
            raise ValueError("slice step cannot be zero")
        return slice(
            *(None if v is None else v.__index__() for v in (part.start, part.stop, part.step))
        )
    if isinstance(part, (int, np.integer, np.bool_)):
        return int(part)
    found = raw(part)
    if found is None:
        raise ValueError(f"NDArray does not support slicing with key {part} of type {type(part)}.")
    if found.dtype.kind == "b":
        raise ValueError(BOOLEAN)
    return found.astype("int64")
