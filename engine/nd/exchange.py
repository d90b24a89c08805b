"""Sharing memory with other libraries: DLPack both ways, and NumPy without a copy."""

from __future__ import annotations

from typing import Any

import numpy as np

from initlab.engine import dtypes
from initlab.engine.device import Device, from_host
from initlab.engine.errors import MXNetError
from initlab.engine.nd.creation import array
from initlab.engine.nd.ndarray import NDArray, place

CPU, GPU = 1, 2
"""DLPack's numbers of device types."""


class _Capsule:
    """A DLPack capsule of host memory, as something that has one to give."""

    def __init__(self, capsule: Any) -> None:
        self._capsule = capsule

    def __dlpack__(self, **options: Any) -> Any:
        return self._capsule

    def __dlpack_device__(self) -> tuple[int, int]:
        return CPU, 0


def from_dlpack(dlpack: Any) -> NDArray:
    """An array on the memory of another library's, or of a DLPack capsule of host memory.

    TypeError for what is neither; MXNetError for a dtype that arrays cannot have, or memory on
    another kind of device.
    """
    if type(dlpack).__name__ == "PyCapsule":
        dlpack = _Capsule(dlpack)
    elif not hasattr(dlpack, "__dlpack__"):
        raise TypeError(
            f"from_dlpack needs an array with __dlpack__ or a capsule, got {type(dlpack).__name__}"
        )
    kind, number = (int(n) for n in dlpack.__dlpack_device__())
    if kind not in (CPU, GPU):
        raise MXNetError(
            f"from_dlpack: memory on a device of DLPack type {kind} cannot be used - only host memory "
            "and CUDA's"
        )
    where = Device("cpu" if kind == CPU else "gpu", number if kind == GPU else 0)
    raw = where.use().from_dlpack(dlpack)
    dtypes.resolve(raw.dtype)
    return NDArray(raw.reshape(raw.shape or (1,)), where)


def to_dlpack_for_read(data: NDArray) -> Any:
    """A DLPack capsule of the array's memory. BufferError for a dtype that DLPack does not have."""
    return data.__dlpack__()


to_dlpack_for_write = to_dlpack_for_read


def from_numpy(ndarray: np.ndarray, zero_copy: bool = True) -> NDArray:
    """An array on the memory of a NumPy array, which becomes read-only; a copy without `zero_copy`.
    ValueError unless C-contiguous.
    """
    if not isinstance(ndarray, np.ndarray):
        raise TypeError(f"from_numpy needs a NumPy array, got {type(ndarray).__name__}")
    if not zero_copy:
        return array(ndarray, dtype=ndarray.dtype)
    if not ndarray.flags["C_CONTIGUOUS"]:
        raise ValueError("Only c-contiguous arrays are supported for zero-copy")
    dtypes.resolve(ndarray.dtype)
    where = place(Device("cpu", 0))
    shared = from_host(ndarray.reshape(ndarray.shape or (1,)).view(), where)
    ndarray.flags["WRITEABLE"] = False
    return NDArray(shared, where)


NDArray.to_dlpack_for_read = to_dlpack_for_read  # type: ignore[attr-defined]
NDArray.to_dlpack_for_write = to_dlpack_for_write  # type: ignore[attr-defined]
