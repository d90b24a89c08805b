"""NumPy's `.npz`: an uncompressed zip with one `.npy` for each tensor.

Dates are fixed and names sorted, so the same snapshot gives the same bytes.
"""

from __future__ import annotations

import io
import json
import lzma
import math
import struct
import tokenize
import warnings
import zipfile
import zlib
from typing import Any, BinaryIO, ClassVar

import numpy as np

from initlab.engine import strict_json
from initlab.engine.errors import FormatError
from initlab.engine.formats.base import (
    Format,
    Snapshot,
    checked,
    dtype_called,
    little_endian,
    register,
    tensor_of,
)

OURS = "__initlab__"
"""The entry that holds our JSON as bytes: `aliases`, `metadata`, and the `dtypes` that `.npy`
cannot name (bfloat16).
"""
DATE = (1980, 1, 1, 0, 0, 0)
UNIX = 3
MORE_THAN_16_BITS = 0xFFFF
LONGEST_NAME = 60_000
"""Zip allows 65535 bytes."""
DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    tokenize.TokenError,
    struct.error,
    ValueError,
    TypeError,
    SyntaxError,
    EOFError,
    KeyError,
    IndexError,
    NotImplementedError,
    RuntimeError,
    OSError,
    OverflowError,
)
"""Exceptions that zipfile and NumPy's header reader raise for invalid bytes."""


@register
class Npz(Format):
    """The `.npz` format, readable by `numpy.load(path, allow_pickle=False)`.

    NumPy reads bfloat16 tensors as uint16.
    """

    name: ClassVar[str] = "npz"
    suffix: ClassVar[str] = ".npz"

    def dump(self, file: BinaryIO, snapshot: Snapshot) -> None:
        """Write the tensors by name, then the entry with aliases and metadata."""
        arrays, other = {}, {}
        for name in sorted(snapshot.tensors):
            checked(name != OURS, f"a tensor cannot be called '{OURS}'")
            checked(
                "\0" not in name and len(name.encode()) <= LONGEST_NAME,
                f"npz cannot hold the name {name[:80]!r}",
            )
            array = little_endian(snapshot.tensors[name])
            checked(
                _holds_numbers(array.dtype),
                f"tensor '{name}' has dtype {array.dtype.name}, which is no number",
            )
            if array.dtype.name == "bfloat16":
                other[name] = array.dtype.name
                array = array.view(np.uint16)
            arrays[name] = array
        ours = {"aliases": snapshot.aliases, "metadata": snapshot.metadata, "dtypes": other}
        text = json.dumps(ours, sort_keys=True, separators=(",", ":"), allow_nan=False).encode(
            "utf-8"
        )
        arrays[OURS] = np.frombuffer(text, np.uint8)
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
            for name, array in arrays.items():
                entry = zipfile.ZipInfo(f"{name}.npy", DATE)
                entry.create_system = UNIX
                entry.external_attr = 0o644 << 16
                with archive.open(entry, "w", force_zip64=True) as target:
                    np.lib.format.write_array(target, array, version=(1, 0), allow_pickle=False)

    def parse(self, data: bytes) -> Snapshot:
        """Read every entry and verify its checksum before NumPy parses it."""
        arrays: dict[str, np.ndarray] = {}
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                _check_count(data, len(archive.infolist()))
                for entry in archive.infolist():
                    name = entry.filename.removesuffix(".npy")
                    checked(name not in arrays, f"is damaged: it has '{name}' twice")
                    arrays[name] = _array(name, archive.read(entry))
        except FormatError:
            raise
        except DAMAGE as error:
            raise FormatError(f"is damaged, cut short or no npz file ({error})") from None
        ours = _ours(arrays.pop(OURS, None))
        for name, dtype in ours["dtypes"].items():
            there = dtype == "bfloat16" and name in arrays and arrays[name].dtype == np.uint16
            checked(there, f"is damaged: tensor '{name}' is not there as announced")
            arrays[name] = arrays[name].view(dtype_called(dtype))
        return Snapshot(arrays, ours["aliases"], ours["metadata"])


def _check_count(data: bytes, found: int) -> None:
    """Check that the number of entries found is the number stated at the end of the file.

    zipfile does not check it, so a damaged directory could lose entries unnoticed.
    """
    (announced,) = struct.unpack_from("<H", data, data.rfind(b"PK\5\6") + 10)
    checked(
        announced in (found, MORE_THAN_16_BITS),
        f"is damaged: {announced} entries announced, {found} found",
    )


def _holds_numbers(dtype: np.dtype) -> bool:
    return dtype.name == "bfloat16" or (dtype.kind in "biuf" and dtype.itemsize <= 8)


def _array(name: str, data: bytes) -> np.ndarray:
    """Return the tensor in the bytes of a `.npy` file.

    The size is compared with the header before any memory is allocated.
    """
    file = io.BytesIO(data)
    version = np.lib.format.read_magic(file)
    checked(version in ((1, 0), (2, 0)), f"is damaged: tensor '{name}' is of npy version {version}")
    read_header = (
        np.lib.format.read_array_header_1_0
        if version == (1, 0)
        else np.lib.format.read_array_header_2_0
    )
    with warnings.catch_warnings():
        # NumPy warns of headers that Python 2 wrote; they are read correctly.
        warnings.simplefilter("ignore", UserWarning)
        shape, columns_first, dtype = read_header(file)
    checked(_holds_numbers(dtype), f"has tensor '{name}' of dtype {dtype.name}, which is no number")
    checked(
        all(axis >= 0 for axis in shape),
        f"is damaged: tensor '{name}' has the impossible shape {list(shape)}",
    )
    raw = memoryview(data)[file.tell() :]
    needed = math.prod(shape) * dtype.itemsize
    checked(
        len(raw) == needed,
        f"is damaged: tensor '{name}' needs {needed} bytes, {len(raw)} are there",
    )
    array = tensor_of(name, raw, dtype, shape[::-1] if columns_first else shape)
    return little_endian(array.T if columns_first else array)


def _ours(entry: np.ndarray | None) -> dict[str, Any]:
    if entry is None:
        return {"aliases": {}, "metadata": {}, "dtypes": {}}
    try:
        ours: dict[str, Any] = strict_json.parse(entry.tobytes())
        proper = all(isinstance(ours[key], dict) for key in ("aliases", "metadata", "dtypes"))
    except (ValueError, KeyError, TypeError):
        proper = False
    checked(proper, "is damaged: its alias table is not as we write it")
    return ours
