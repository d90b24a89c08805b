"""NumPy's `.npz`: an uncompressed zip with one `.npy` for each tensor.

Dates are fixed and names sorted, so the same snapshot gives the same bytes.
"""

from __future__ import annotations

import io
import json
import lzma
import math
import os
import struct
import tokenize
import warnings
import zipfile
import zlib
from pathlib import Path
from typing import Any, BinaryIO, ClassVar

import numpy as np

from initlab.engine import strict_json
from initlab.engine.errors import FormatError
from initlab.engine.formats import archive, scratch
from initlab.engine.formats.base import (
    Format,
    Snapshot,
    check_kind,
    check_names,
    checked,
    dtype_called,
    little_endian,
    mapped,
    register,
    unreadable,
    view_of,
)
from initlab.engine.formats.foreign import KIND_BYTES

OURS = "__initlab__"
"""The entry that holds our JSON as bytes: `aliases`, `metadata`, and the `dtypes` that `.npy`
cannot name (bfloat16).
"""
DATE = (1980, 1, 1, 0, 0, 0)
UNIX = 3
MORE_THAN_16_BITS = 0xFFFF
LONGEST_NAME = 60_000
"""Zip allows 65535 bytes."""
LONGEST_HEADER = 1 << 17
"""The bytes in which the header of an entry must lie; NumPy reads no longer ones either."""
LONGEST_END = 1 << 17
"""The bytes at the end of the file in which its directory's end must lie, with a comment."""
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
    """The first values in one `.npz` file, readable by `numpy.load(path, allow_pickle=False)`.

    NumPy reads bfloat16 tensors as uint16.

    Source: NumPy, `numpy.savez`.
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
            with zipfile.ZipFile(io.BytesIO(data)) as zipped:
                _check_count(data, len(zipped.infolist()))
                for entry in zipped.infolist():
                    name = entry.filename.removesuffix(".npy")
                    checked(name not in arrays, f"is damaged: it has '{name}' twice")
                    content = np.frombuffer(zipped.read(entry), np.uint8)
                    arrays[name] = little_endian(_array(name, content).copy())
        except FormatError:
            raise
        except DAMAGE as error:
            raise FormatError(f"is damaged, cut short or no npz file ({error})") from None
        return _snapshot(arrays)

    def open(self, path: str | os.PathLike[str]) -> Snapshot:
        """Return the tensors, mapped into memory after their checksums were compared. Compressed
        entries are unpacked, a large file's into a temporary one (see `scratch`).
        """
        path = Path(path)
        raw = mapped(path)
        try:
            check_kind(raw[:KIND_BYTES].tobytes(), self.name)
            entries = _entries(path, raw)
            _check_count(raw[-LONGEST_END:].tobytes(), len(entries))
            arrays: dict[str, np.ndarray] = {}
            for entry, content in entries.items():
                name = entry.removesuffix(".npy")
                checked(name not in arrays, f"is damaged: it has '{name}' twice")
                arrays[name] = _array(name, content)
            snapshot = _snapshot(arrays)
            check_names(snapshot)
            return snapshot
        except FormatError as error:
            raise unreadable(path, error) from error
        except DAMAGE as error:
            said = FormatError(f"is damaged, cut short or no npz file ({error})")
            raise unreadable(path, said) from None


def _entries(path: Path, raw: np.ndarray) -> dict[str, np.ndarray]:
    """Return the bytes of every entry by name, whose checksums were compared."""
    try:
        found = archive.members(raw)
    except archive.Compressed:
        return _unpacked(path)
    for entry, member in found.items():
        member.check(entry)
    return {entry: member.part for entry, member in found.items()}


def _unpacked(path: Path) -> dict[str, np.ndarray]:
    """Return the bytes of every entry by name, unpacked a part at a time."""
    with zipfile.ZipFile(path) as zipped:
        entries = zipped.infolist()
        for entry in entries:
            wrong = scratch.too_dense(entry.file_size, entry.compress_size)
            checked(wrong is None, f"is damaged: of its part '{entry.filename}' {wrong}")
        found: dict[str, np.ndarray] = {}
        spaces = scratch.rooms([entry.file_size for entry in entries])
        for entry, space in zip(entries, spaces, strict=True):
            name, at = entry.filename, 0
            checked(name not in found, f"is damaged: it has '{name}' twice")
            with zipped.open(entry) as file:
                while part := file.read(archive.BLOCK):
                    checked(at + len(part) <= space.size, f"is damaged: '{name}' is too long")
                    space[at : at + len(part)] = np.frombuffer(part, np.uint8)
                    at += len(part)
            checked(at == space.size, f"is damaged: its part '{name}' is cut short")
            found[name] = space
        return found


def _snapshot(arrays: dict[str, np.ndarray]) -> Snapshot:
    """Return the snapshot of a file's entries, one of which may be ours."""
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


def _array(name: str, data: np.ndarray) -> np.ndarray:
    """Return the tensor in the bytes of a `.npy` file, a view of them unless the bytes of its elements
    are in another order.

    The size is compared with the header before any memory is allocated.
    """
    file = io.BytesIO(data[:LONGEST_HEADER].tobytes())
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
    raw = data[file.tell() :]
    needed = math.prod(shape) * dtype.itemsize
    checked(
        raw.size == needed,
        f"is damaged: tensor '{name}' needs {needed} bytes, {raw.size} are there",
    )
    array = view_of(name, raw, dtype, shape[::-1] if columns_first else shape)
    turned = array.T if columns_first else array
    return turned if dtype.isnative else turned.astype(dtype.newbyteorder("="))


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
