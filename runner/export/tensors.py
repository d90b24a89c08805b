"""Tensors of another library made from ours, block by block, and the file that takes them."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from initlab.engine import dtypes
from initlab.engine.formats.base import little_endian, replacing
from initlab.engine.formats.safetensors import Layout, layout

BLOCK = 1 << 20
"""Elements that are moved at a time."""
METADATA = {"format": "pt"}
"""What torch's own writers say of a file's layout; transformers asks for it."""


@dataclass(frozen=True)
class Tensor:
    """A tensor to be written; `blocks` gives its elements in C order, a part at a time."""

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype
    blocks: Callable[[], Iterator[np.ndarray]]


def same(name: str, values: np.ndarray) -> Tensor:
    """Return our values under another name."""

    def blocks() -> Iterator[np.ndarray]:
        flat = values.reshape(-1)
        return (flat[at : at + BLOCK] for at in range(0, flat.size, BLOCK))

    return Tensor(name, values.shape, values.dtype, blocks)


def swapped(name: str, values: np.ndarray) -> Tensor:
    """Return a matrix (out, in) as (in, out)."""
    rows, columns = values.shape
    step = max(1, BLOCK // max(1, rows))

    def blocks() -> Iterator[np.ndarray]:
        return (np.ascontiguousarray(values[:, at : at + step].T) for at in range(0, columns, step))

    return Tensor(name, (columns, rows), values.dtype, blocks)


def repeated(name: str, values: np.ndarray, times: int) -> Tensor:
    """Return a vector with each element `times` times in a row."""
    return same(name, np.repeat(values, times))


def filled(name: str, shape: Sequence[int], dtype: str, value: float) -> Tensor:
    """Return a tensor with one value everywhere."""
    kind = dtypes.resolve(dtype)
    size = math.prod(shape)

    def blocks() -> Iterator[np.ndarray]:
        return (np.full(min(BLOCK, size - at), value, kind) for at in range(0, size, BLOCK))

    return Tensor(name, tuple(shape), kind, blocks)


def laid_out(
    tensors: Sequence[Tensor], metadata: Mapping[str, str], frozen: Sequence[str] = ()
) -> Layout:
    """Return the layout of the file that holds the tensors; its `__metadata__` lists the names of
    those that are `frozen`, if there are any.

    Raises FormatError if safetensors cannot hold one of them.
    """
    others = METADATA | ({"frozen": json.dumps(list(frozen))} if frozen else {})
    shapes = {one.name: (one.dtype, one.shape) for one in tensors}
    return layout(shapes, {}, dict(metadata), others)


def content(tensors: Sequence[Tensor], placed: Layout) -> Iterator[bytes | memoryview]:
    """Yield the bytes of the safetensors file that holds the tensors, a part at a time."""
    by_name = {one.name: one for one in tensors}
    yield placed.header
    for name in placed.entries:
        for block in by_name[name].blocks():
            yield little_endian(block).reshape(-1).view(np.uint8).data


def json_bytes(value: Mapping[str, object]) -> bytes:
    """Return readable JSON, as transformers writes its configs."""
    return (json.dumps(value, indent=2, sort_keys=True) + "\n").encode()


def write(path: Path, parts: Iterator[bytes | memoryview]) -> None:
    """Write a file atomically and durably. Raises OSError."""
    with replacing(path) as file:
        for part in parts:
            file.write(part)


def holds(path: Path, parts: Iterator[bytes | memoryview]) -> bool:
    """Return whether the file at `path` has exactly these bytes. Raises OSError."""
    with open(path, "rb") as file:
        return all(file.read(len(part)) == part for part in parts) and not file.read(1)
