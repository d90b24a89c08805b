"""Safetensors: a JSON header of names, dtypes, shapes and offsets, then the data end to end.

We write the header ourselves so that the same snapshot gives the same bytes: keys sorted, no spaces, tensors in that order, and one
metadata value (the official writer orders metadata at random). Source: the format section of huggingface/safetensors' README.
"""

from __future__ import annotations

import json
import math
import struct
from typing import Any, BinaryIO, ClassVar

import numpy as np

from engine.errors import FormatError
from engine.formats.base import REGISTRY, Format, Snapshot, checked, dtype_called, little_endian, tensor_of

CODES = {
    "float64": "F64", "float32": "F32", "float16": "F16", "bfloat16": "BF16", "int64": "I64", "int32": "I32", "int16": "I16",
    "int8": "I8", "uint64": "U64", "uint32": "U32", "uint16": "U16", "uint8": "U8", "bool": "BOOL",
}  # fmt: skip
NAMES = {code: name for name, code in CODES.items()}
METADATA = "__metadata__"
OURS = "initlab"
"""The one key of `__metadata__` that we write: JSON with `aliases` and `metadata`."""
LARGEST_HEADER = 100_000_000


class Safetensors(Format):
    """`.safetensors`, read by the official library."""

    name: ClassVar[str] = "safetensors"
    suffix: ClassVar[str] = ".safetensors"

    def dump(self, file: BinaryIO, snapshot: Snapshot) -> None:
        """Header length (u64), header padded with spaces to a multiple of 8, data."""
        ours = {"aliases": snapshot.aliases, "metadata": snapshot.metadata}
        header: dict[str, Any] = {METADATA: {OURS: json.dumps(ours, sort_keys=True, separators=(",", ":"), allow_nan=False)}}
        offset = 0
        arrays = []
        for name in sorted(snapshot.tensors):
            array = little_endian(snapshot.tensors[name])
            checked(name != METADATA, f"a tensor cannot be called '{METADATA}' in safetensors")
            if array.dtype.name not in CODES:
                raise FormatError(f"tensor '{name}' has dtype {array.dtype.name}, which safetensors does not have")
            header[name] = {
                "dtype": CODES[array.dtype.name], "shape": list(array.shape), "data_offsets": [offset, offset + array.nbytes]
            }  # fmt: skip
            offset += array.nbytes
            arrays.append(array)
        text = json.dumps(header, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode("utf-8")
        text += b" " * (-len(text) % 8)
        file.write(struct.pack("<Q", len(text)) + text)
        for array in arrays:
            file.write(array.reshape(-1).view(np.uint8).data)

    def parse(self, data: bytes) -> Snapshot:
        """Checks all that the header claims before any tensor is made."""
        checked(len(data) >= 8, f"is cut short: {len(data)} bytes cannot hold a safetensors header")
        (length,) = struct.unpack("<Q", data[:8])
        checked(length <= LARGEST_HEADER, f"is no safetensors file: its header would be {length} bytes long")
        checked(len(data) >= 8 + length, f"is cut short within its header: {length} bytes announced, {len(data) - 8} there")
        header = _json_object(data[8 : 8 + length])
        extra = header.pop(METADATA, {})
        body = memoryview(data)[8 + length :]
        spans = sorted((_span(name, entry), name) for name, entry in header.items())
        at = 0
        for (start, stop), name in spans:
            checked(start == at, f"is damaged: tensor '{name}' starts at byte {start} of the data, expected {at}")
            at = stop
        checked(len(body) >= at, f"is cut short within its data: {at} bytes announced, {len(body)} there")
        checked(len(body) == at, f"is damaged: {len(body) - at} bytes too many follow the last tensor")
        tensors = {name: _tensor(name, entry, body) for name, entry in header.items()}
        ours = _ours(extra)
        return Snapshot(dict(sorted(tensors.items())), ours["aliases"], ours["metadata"])


def _json_object(text: bytes) -> dict[str, Any]:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, value in pairs:
            checked(name not in found, f"is damaged: the header has '{name}' twice")
            found[name] = value
        return found

    try:
        header = json.loads(text.decode("utf-8"), object_pairs_hook=unique)
    except FormatError:
        raise
    except (ValueError, RecursionError) as error:
        raise FormatError(f"is damaged: its header is no JSON ({error})") from None
    checked(isinstance(header, dict), "is damaged: its header is no JSON object")
    return header


def _span(name: str, entry: Any) -> tuple[int, int]:
    """The tensor's (start, stop), after checking its entry."""
    checked(
        isinstance(entry, dict) and set(entry) == {"dtype", "shape", "data_offsets"}, f"is damaged: tensor '{name}' has no proper entry"
    )
    checked(isinstance(entry["dtype"], str) and entry["dtype"] in NAMES, f"has tensor '{name}' of unknown dtype {entry['dtype']!r}")
    shape, offsets = entry["shape"], entry["data_offsets"]
    for numbers in (shape, offsets):
        proper = isinstance(numbers, list) and all(type(n) is int and n >= 0 for n in numbers)
        checked(proper, f"is damaged: tensor '{name}' has impossible numbers {numbers!r}")
    checked(len(offsets) == 2, f"is damaged: tensor '{name}' has impossible offsets {offsets!r}")
    size = math.prod(shape) * dtype_called(NAMES[entry["dtype"]]).itemsize
    checked(offsets[1] - offsets[0] == size, f"is damaged: tensor '{name}' needs {size} bytes, its offsets give {offsets[1] - offsets[0]}")
    return offsets[0], offsets[1]


def _tensor(name: str, entry: dict[str, Any], body: memoryview) -> np.ndarray:
    start, stop = entry["data_offsets"]
    return tensor_of(name, body[start:stop], dtype_called(NAMES[entry["dtype"]]), entry["shape"])


def _ours(extra: Any) -> dict[str, Any]:
    """Our aliases and metadata; empty for a file that somebody else wrote."""
    checked(isinstance(extra, dict), "is damaged: its __metadata__ is no JSON object")
    if OURS not in extra:
        return {"aliases": {}, "metadata": dict(extra)}
    ours = _json_object(str(extra[OURS]).encode("utf-8"))
    proper = isinstance(ours.get("aliases"), dict) and isinstance(ours.get("metadata"), dict)
    checked(proper, "is damaged: its alias table is not as we write it")
    return ours


REGISTRY.add(Safetensors.name, Safetensors())
