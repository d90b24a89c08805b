"""Safetensors: a JSON header with names, dtypes, shapes and offsets, followed by the data.

The header is written here, not by the official library, so that the same snapshot gives the same
bytes: sorted keys, no spaces, tensors in that order, and one metadata value (the official writer
orders metadata at random). Source: the format section of huggingface/safetensors' README.
"""

from __future__ import annotations

import io
import json
import math
import os
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, ClassVar

import numpy as np

from initlab.engine import strict_json
from initlab.engine.errors import FormatError
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
    tensor_of,
    unreadable,
    view_of,
)
from initlab.engine.formats.foreign import KIND_BYTES

CODES = {
    "float64": "F64",
    "float32": "F32",
    "float16": "F16",
    "bfloat16": "BF16",
    "int64": "I64",
    "int32": "I32",
    "int16": "I16",
    "int8": "I8",
    "uint64": "U64",
    "uint32": "U32",
    "uint16": "U16",
    "uint8": "U8",
    "bool": "BOOL",
}
NAMES = {code: name for name, code in CODES.items()}
UNREAD_BITS = {
    "F8_E4M3": 8,
    "F8_E5M2": 8,
    "F8_E8M0": 8,
    "F8_E4M3FNUZ": 8,
    "F8_E5M2FNUZ": 8,
    "F6_E2M3": 6,
    "F6_E3M2": 6,
    "F4": 4,
    "C64": 64,
}
"""Types of the format that are given as no arrays here, and the bits of an element."""
METADATA = "__metadata__"
OURS = "initlab"
"""The one key of `__metadata__` that we write: JSON with `aliases` and `metadata`."""
LARGEST_HEADER = 100_000_000


@dataclass(frozen=True)
class Entry:
    """A tensor in a file: bytes start … stop - 1 of the file, C order, little-endian."""

    dtype: np.dtype
    shape: tuple[int, ...]
    start: int
    stop: int


@dataclass(frozen=True)
class Layout:
    """The positions of all tensors in a file, known before any value is. `entries` are in file
    order.
    """

    header: bytes
    """The first bytes of the file: the header's length and the header."""
    entries: dict[str, Entry]
    size: int
    """The size of the file in bytes."""
    aliases: dict[str, str]
    metadata: dict[str, Any]
    unread: dict[str, str] = field(default_factory=dict)
    """Tensors of a type that is given as no array, and why."""


def layout(
    tensors: Mapping[str, tuple[np.dtype, tuple[int, ...]]],
    aliases: dict[str, str],
    metadata: dict[str, Any],
    others: Mapping[str, str] = {},
) -> Layout:
    """Return the layout of a file that holds tensors of these dtypes and shapes.

    `others` are entries of the metadata that other libraries read, as text. Metadata may change
    without moving any tensor if the length of its JSON stays the same. Raises FormatError if the
    format cannot hold a tensor or a name.
    """
    ours = {"aliases": aliases, "metadata": metadata}
    header: dict[str, Any] = {
        METADATA: {
            **others,
            OURS: json.dumps(ours, sort_keys=True, separators=(",", ":"), allow_nan=False),
        }
    }
    spans: dict[str, tuple[int, int]] = {}
    offset = 0
    for name in sorted(tensors):
        dtype, shape = tensors[name]
        checked(name != METADATA, f"a tensor cannot be called '{METADATA}' in safetensors")
        if dtype.name not in CODES:
            raise FormatError(
                f"tensor '{name}' has dtype {dtype.name}, which safetensors does not have"
            )
        spans[name] = (offset, offset + math.prod(shape) * dtype.itemsize)
        header[name] = {
            "dtype": CODES[dtype.name],
            "shape": list(shape),
            "data_offsets": list(spans[name]),
        }
        offset = spans[name][1]
    text = json.dumps(header, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode(
        "utf-8"
    )
    text += b" " * (-len(text) % 8)
    checked(
        len(text) <= LARGEST_HEADER,
        f"the header would be {len(text):,} bytes long, and readers take {LARGEST_HEADER:,} at most "
        "- write the tensors in parts (shard=i/n), or as npz",
    )
    base = 8 + len(text)
    entries = {
        name: Entry(*tensors[name], base + start, base + stop)
        for name, (start, stop) in spans.items()
    }
    return Layout(struct.pack("<Q", len(text)) + text, entries, base + offset, aliases, metadata)


def read_layout(file: BinaryIO, size: int) -> Layout:
    """Read and check the header of a file of `size` bytes.

    Raises FormatError if it is damaged, cut short or of another kind.
    """
    first = file.read(8)
    check_kind(first + file.read(KIND_BYTES), "safetensors")
    file.seek(len(first))
    checked(len(first) == 8, f"is cut short: {len(first)} bytes cannot hold a safetensors header")
    (length,) = struct.unpack("<Q", first)
    checked(
        length <= LARGEST_HEADER, f"is no safetensors file: its header would be {length} bytes long"
    )
    text = file.read(length)
    checked(
        len(text) == length,
        f"is cut short within its header: {length} bytes announced, {size - 8} there",
    )
    header = _json_object(text)
    extra = header.pop(METADATA, None)
    spans = sorted((_span(name, entry), name) for name, entry in header.items())
    at, base = 0, 8 + length
    for (start, stop), name in spans:
        checked(
            start == at,
            f"is damaged: tensor '{name}' starts at byte {start} of the data, expected {at}",
        )
        at = stop
    body = size - base
    checked(body >= at, f"is cut short within its data: {at} bytes announced, {body} there")
    checked(body == at, f"is damaged: {body - at} bytes too many follow the last tensor")
    entries = {
        name: Entry(
            dtype_called(NAMES[header[name]["dtype"]]),
            tuple(header[name]["shape"]),
            base + start,
            base + stop,
        )
        for (start, stop), name in spans
        if header[name]["dtype"] in NAMES
    }
    unread = {
        name: f"it is of dtype {header[name]['dtype']}"
        for _, name in spans
        if header[name]["dtype"] not in NAMES
    }
    ours = _ours(extra)
    return Layout(first + text, entries, size, ours["aliases"], ours["metadata"], unread)


@register
class Safetensors(Format):
    """The first values in one `.safetensors` file, readable by the official library.

    Source: Hugging Face, safetensors, format description in the README.
    """

    name: ClassVar[str] = "safetensors"
    suffix: ClassVar[str] = ".safetensors"

    def dump(self, file: BinaryIO, snapshot: Snapshot) -> None:
        """Write the header's length (u64), the header padded with spaces to a multiple of 8, and
        the data.
        """
        arrays = {name: little_endian(array) for name, array in snapshot.tensors.items()}
        placed = layout(
            {name: (a.dtype, a.shape) for name, a in arrays.items()},
            snapshot.aliases,
            snapshot.metadata,
        )
        file.write(placed.header)
        for name in placed.entries:
            file.write(arrays[name].reshape(-1).view(np.uint8).data)

    def open(self, path: str | os.PathLike[str]) -> Snapshot:
        """Return the snapshot, mapped into memory. Errors are `read`'s."""
        snapshot = open_mapped(path)
        for name, array in snapshot.tensors.items():
            view_of(name, array.reshape(-1).view(np.uint8), array.dtype, array.shape)
        return snapshot

    def parse(self, data: bytes) -> Snapshot:
        """Read a file; the header is checked completely before any tensor is created."""
        found = read_layout(io.BytesIO(data), len(data))
        body = memoryview(data)
        tensors = {
            name: tensor_of(name, body[e.start : e.stop], e.dtype, e.shape)
            for name, e in found.entries.items()
        }
        return Snapshot(dict(sorted(tensors.items())), found.aliases, found.metadata, found.unread)


def open_mapped(path: str | os.PathLike[str]) -> Snapshot:
    """Return the snapshot in `path` with its tensors mapped into memory and read on access.

    Writing to a tensor does not change the file. Booleans are not checked. Raises FileNotFoundError
    or FormatError like `read`.
    """
    path = Path(path)
    try:
        with open(path, "rb") as file:
            found = read_layout(file, os.fstat(file.fileno()).st_size)
        raw = mapped(path)
        tensors = {name: _mapped(name, raw, entry) for name, entry in found.entries.items()}
        snapshot = Snapshot(
            dict(sorted(tensors.items())), found.aliases, found.metadata, found.unread
        )
        check_names(snapshot)
        return snapshot
    except FormatError as error:
        raise unreadable(path, error) from error


def _mapped(name: str, raw: np.ndarray, entry: Entry) -> np.ndarray:
    try:
        return raw[entry.start : entry.stop].view(entry.dtype).reshape(entry.shape)
    except (ValueError, OverflowError):
        raise FormatError(
            f"is damaged: tensor '{name}' has the impossible shape {list(entry.shape)}"
        ) from None


def _json_object(text: bytes) -> dict[str, Any]:
    try:
        header = strict_json.parse(text)
    except ValueError as error:
        raise FormatError(f"is damaged in its header: {error}") from None
    checked(isinstance(header, dict), "is damaged: its header is no JSON object")
    found: dict[str, Any] = header
    return found


def _span(name: str, entry: Any) -> tuple[int, int]:
    """Check the entry of a tensor and return its (start, stop)."""
    checked(
        isinstance(entry, dict) and set(entry) == {"dtype", "shape", "data_offsets"},
        f"is damaged: tensor '{name}' has no proper entry",
    )
    checked(
        isinstance(entry["dtype"], str) and entry["dtype"] in (NAMES | UNREAD_BITS),
        f"has tensor '{name}' of unknown dtype {entry['dtype']!r}",
    )
    shape, offsets = entry["shape"], entry["data_offsets"]
    for numbers in (shape, offsets):
        proper = isinstance(numbers, list) and all(type(n) is int and n >= 0 for n in numbers)
        checked(proper, f"is damaged: tensor '{name}' has impossible numbers {numbers!r}")
    checked(len(offsets) == 2, f"is damaged: tensor '{name}' has impossible offsets {offsets!r}")
    code = entry["dtype"]
    bits = UNREAD_BITS[code] if code in UNREAD_BITS else 8 * dtype_called(NAMES[code]).itemsize
    size = -(-math.prod(shape) * bits // 8)
    checked(
        offsets[1] - offsets[0] == size,
        f"is damaged: tensor '{name}' needs {size} bytes, its offsets give {offsets[1] - offsets[0]}",
    )
    return offsets[0], offsets[1]


def _ours(extra: Any) -> dict[str, Any]:
    """Return our aliases and metadata; empty for a file written by other software."""
    if extra is None:  # some writers say null
        extra = {}
    checked(isinstance(extra, dict), "is damaged: its __metadata__ is no JSON object")
    if OURS not in extra:
        return {"aliases": {}, "metadata": dict(extra)}
    ours = _json_object(str(extra[OURS]).encode("utf-8"))
    proper = isinstance(ours.get("aliases"), dict) and isinstance(ours.get("metadata"), dict)
    checked(proper, "is damaged: its alias table is not as we write it")
    return ours
