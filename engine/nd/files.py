"""`nd.save` and `nd.load`: read and write MXNet's `.params` files."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from initlab.engine.device import Device, from_host
from initlab.engine.errors import FormatError, MXNetError
from initlab.engine.formats import params
from initlab.engine.formats.base import replacing
from initlab.engine.nd.ndarray import NDArray


def save(fname: str | os.PathLike[str], data: Any) -> None:
    """Write an array, a list of arrays, or a dict of names to arrays to the file `fname`.

    The file is replaced atomically: a failed save leaves the old file as it was. Raises TypeError
    for a file name that is no path or a collection that holds something other than arrays, and
    ValueError for any other `data`.
    """
    if not isinstance(fname, (str, os.PathLike)):
        raise TypeError("fname required to be a string")
    if isinstance(data, NDArray):
        data = [data]
    if isinstance(data, Mapping):
        names, arrays = list(data), list(data.values())
        proper = all(isinstance(name, str) for name in names) and all(
            isinstance(a, NDArray) for a in arrays
        )
    elif isinstance(data, (list, tuple)):
        names, arrays = [], list(data)
        proper = all(isinstance(a, NDArray) for a in arrays)
    else:
        raise ValueError(
            "data needs to either be a NDArray, dict of str, NDArray pairs or a list of NDarrays."
        )
    if not proper:
        raise TypeError("save only accept dict str->NDArray or list of NDArray")
    devices = [(a.device.device_typeid, a.device.device_id) for a in arrays]
    with replacing(Path(fname)) as file:
        file.write(params.dumps([a.asnumpy() for a in arrays], names, devices))


def load(fname: str | os.PathLike[str]) -> Any:
    """Read a file written by `save`: a dict if the arrays have names, else a list.

    Raises MXNetError if the file is missing, cannot be opened, or is no `.params` file.
    """
    if not isinstance(fname, (str, os.PathLike)):
        raise TypeError("fname required to be a string")
    try:
        data = Path(fname).read_bytes()
    except FileNotFoundError:
        raise MXNetError(
            f'LocalFileSystem: Check failed: allow_null: :Open "{os.fspath(fname)}": No such file or '
            "directory"
        ) from None
    except OSError as error:
        raise MXNetError(f'LocalFileSystem: Open "{os.fspath(fname)}": {error.strerror}') from error
    return load_frombuffer(data)


def load_frombuffer(buf: bytes) -> Any:
    """Read arrays from the bytes of a `.params` file, like `load`."""
    try:
        arrays, names, _ = params.loads(buf)
    except FormatError as error:
        raise MXNetError.checked(f"{error}") from None
    # The device in the file is ignored, as in MXNet without a GPU.
    where = Device("cpu", 0)
    loaded = [
        NDArray(from_host(np.zeros(0, np.float32) if array is None else array, where), where)
        for array in arrays
    ]
    return dict(zip(names, loaded, strict=True)) if names else loaded
