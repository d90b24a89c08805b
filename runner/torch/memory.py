"""Memory that arrays and tensors share: nothing is copied on the host."""

from __future__ import annotations

import ctypes
import math
from functools import cache

import numpy as np
import torch

from initlab.engine import dtypes

BFLOAT16 = "bfloat16"


@cache
def dtype_name(dtype: torch.dtype) -> str:
    """Return `float32` for `torch.float32`."""
    return str(dtype).removeprefix("torch.")


def torch_dtype(name: str) -> torch.dtype:
    """Return `torch.float32` for `float32`."""
    return getattr(torch, name)


def tensor_over(array: np.ndarray) -> torch.Tensor:
    """Return a tensor over the memory of an array in C order, which must live as long; of a read-only
    array too, to be read only.
    """
    if not array.size:
        return torch.empty(array.shape, dtype=torch_dtype(array.dtype.name))
    array = np.ascontiguousarray(array) if array.ndim else array
    seen = array.view(np.int16) if array.dtype.name == BFLOAT16 else array
    if not seen.flags.writeable:  # torch warns of these, though it may never write
        memory = (ctypes.c_byte * seen.nbytes).from_address(seen.ctypes.data)
        seen = np.frombuffer(memoryview(memory), seen.dtype).reshape(seen.shape)
    made = torch.from_numpy(seen)
    return made.view(torch.bfloat16) if array.dtype.name == BFLOAT16 else made


def array_over(tensor: torch.Tensor) -> np.ndarray:
    """Return an array over the memory of a tensor on the CPU."""
    plain = tensor.detach()
    if plain.dtype == torch.bfloat16:
        return plain.contiguous().view(torch.int16).numpy().view(dtypes.resolve(BFLOAT16))
    found: np.ndarray = plain.resolve_conj().resolve_neg().numpy()
    return found


def overlap(one: torch.Tensor, other: torch.Tensor) -> bool:
    """Return whether two tensors over the same storage have an element in common."""
    spans = [(t.storage_offset() * t.itemsize, _end(t)) for t in (one, other)]
    first, last = min(start for start, _ in spans), max(end for _, end in spans)
    if spans[0][1] <= spans[1][0] or spans[1][1] <= spans[0][0]:
        return False
    if one.dtype != other.dtype:
        return True
    seen = torch.zeros((last - first) // one.itemsize, dtype=torch.bool)
    start = first // one.itemsize
    views = [seen.as_strided(t.shape, t.stride(), t.storage_offset() - start) for t in (one, other)]
    views[0].fill_(True)
    return bool(views[1].any())


def _end(tensor: torch.Tensor) -> int:
    """Return the byte of the storage behind a tensor's last."""
    steps = sum((n - 1) * step for n, step in zip(tensor.shape, tensor.stride(), strict=True))
    return (tensor.storage_offset() + steps + 1) * tensor.itemsize


def size_of(shape: tuple[int, ...], dtype: str) -> int:
    """Return the bytes of a tensor."""
    return math.prod(shape) * dtypes.resolve(dtype).itemsize
