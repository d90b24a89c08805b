"""Exchange with other libraries without copying: DLPack in both directions, and NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np

from initlab.engine import dtypes
from initlab.engine.device import Device, from_host
from initlab.engine.errors import MXNetError
from initlab.engine.nd.creation import array
from initlab.engine.nd.ndarray import NDArray, place

CPU, GPU = 1, 2
"""Device types, as DLPack numbers them."""


class _Capsule:
    """A DLPack capsule of host memory, wrapped in an object that has `__dlpack__`."""

    def __init__(self, capsule: Any) -> None:
        self._capsule = capsule

    def __dlpack__(self, **options: Any) -> Any:
        return self._capsule

    def __dlpack_device__(self) -> tuple[int, int]:
        return CPU, 0


def from_dlpack(dlpack: Any) -> NDArray:
    """Return an array that shares memory with another library's array or with a DLPack capsule.

    A capsule must hold host memory. Raises TypeError if `dlpack` is neither, and MXNetError if the
    dtype is not supported or the memory is on a device other than host or CUDA.
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
    """Return a DLPack capsule of the array's memory.

    Raises BufferError if DLPack does not have the array's dtype.
    """
    return data.__dlpack__()


to_dlpack_for_write = to_dlpack_for_read


def from_numpy(ndarray: np.ndarray, zero_copy: bool = True) -> NDArray:
    """Return an array that shares memory with a NumPy array, which becomes read-only.

    A second call gives another array on that memory. Without `zero_copy`, returns a copy. Raises
    TypeError if `ndarray` is no NumPy array, and ValueError if it is not C-contiguous.
    """
    if not isinstance(ndarray, np.ndarray):
        raise TypeError(f"from_numpy needs a NumPy array, got {type(ndarray).__name__}")
    if not zero_copy:
        return array(ndarray, dtype=ndarray.dtype)
    if not ndarray.flags["C_CONTIGUOUS"]:
        raise ValueError("Only c-contiguous arrays are supported for zero-copy")
    dtypes.resolve(ndarray.dtype)
    where = place(Device("cpu", 0))
    if not ndarray.flags["WRITEABLE"] and ndarray.flags["OWNDATA"]:
        ndarray.flags["WRITEABLE"] = True  # for a moment: the new array may be written into
    shared = from_host(ndarray.reshape(ndarray.shape or (1,)).view(), where)
    ndarray.flags["WRITEABLE"] = False
    return NDArray(shared, where)


NDArray.to_dlpack_for_read = to_dlpack_for_read  # type: ignore[attr-defined]
NDArray.to_dlpack_for_write = to_dlpack_for_write  # type: ignore[attr-defined]
