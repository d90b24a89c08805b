"""The initializers of an ONNX model: its named weights. Only these are read, by their place in the file.

Elements that lie in the file in their own form, or in a file beside it, are mapped into memory. Source:
onnx/onnx.proto of onnx 1.20 (messages ModelProto, GraphProto, TensorProto) and its page "External
Data".
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, ClassVar

import numpy as np

from initlab.engine.errors import FormatError
from initlab.engine.formats.base import (
    Format,
    Snapshot,
    check_kind,
    check_names,
    checked,
    dtype_called,
    mapped,
    register,
    unreadable,
)
from initlab.engine.formats.foreign import KIND_BYTES
from initlab.engine.formats.protobuf import Span, fields, text, varints

GRAPH, INITIALIZER, SPARSE = 7, 5, 15
"""The numbers of fields of a model and of a graph."""
DIMS, TYPE, FLOATS, INTS, LONGS, NAME, RAW, DOUBLES, UNSIGNED, EXTERNAL, LOCATION = (
    1, 2, 4, 5, 7, 8, 9, 10, 11, 13, 14,
)  # fmt: skip
"""The numbers of fields of a tensor."""
DTYPES = {1: "float32", 2: "uint8", 3: "int8", 4: "uint16", 5: "int16", 6: "int32", 7: "int64",
          9: "bool", 10: "float16", 11: "float64", 12: "uint32", 13: "uint64", 16: "bfloat16"}  # fmt: skip
TYPES = {8: "text", 14: "complex64", 15: "complex128", 17: "float8_e4m3fn", 18: "float8_e4m3fnuz",
         19: "float8_e5m2", 20: "float8_e5m2fnuz", 21: "uint4", 22: "int4", 23: "float4_e2m1"}  # fmt: skip
"""Types that are no dtype here."""
PLAIN: dict[int, np.dtype] = {FLOATS: np.dtype(np.float32), DOUBLES: np.dtype(np.float64)}
"""Fields whose elements lie in the file in their own form."""
MOST_AXES, MOST_PIECES = 64, 100_000


@dataclass
class _Tensor:
    """The fields of a TensorProto."""

    name: str = ""
    type: int = 0
    dims: list[int] = field(default_factory=list)
    raw: Span | None = None
    typed: dict[int, list[int | Span]] = field(default_factory=dict)
    """Elements by the number of their field, in pieces."""
    external: dict[str, str] = field(default_factory=dict)
    is_external: bool = False


@register
class Onnx(Format):
    """`.onnx` files. They are read only."""

    name: ClassVar[str] = "onnx"
    suffix: ClassVar[str] = ".onnx"
    for_runs: ClassVar[bool] = False

    def read(self, path: str | os.PathLike[str]) -> Snapshot:
        """Return the initializers."""
        return _opened(Path(path), np.fromfile(path, np.uint8))

    def open(self, path: str | os.PathLike[str]) -> Snapshot:
        """Return the initializers, mapped into memory."""
        return _opened(Path(path), mapped(Path(path)))

    def dump(self, file: BinaryIO, snapshot: Snapshot) -> None:
        """Raise FormatError: a model is more than weights."""
        raise FormatError("ONNX models are only read - write .safetensors")

    def parse(self, data: bytes) -> Snapshot:
        """Return the initializers in the bytes of a file."""
        return _initializers(np.frombuffer(data, np.uint8), None)


def _opened(path: Path, raw: np.ndarray) -> Snapshot:
    try:
        snapshot = _initializers(raw, path.parent)
        check_names(snapshot)
        return snapshot
    except FormatError as error:
        raise unreadable(path, error) from error


def _initializers(raw: np.ndarray, folder: Path | None) -> Snapshot:
    """Return the initializers; `folder` is where files lie that the model names."""
    check_kind(raw[:KIND_BYTES].tobytes(), "onnx")
    found = Snapshot({})
    for number, graph in fields(raw, Span(0, raw.size)):
        if number != GRAPH or not isinstance(graph, Span):
            continue
        for part, value in fields(raw, graph):
            if part == SPARSE:
                found.unread["sparse_initializer"] = "it is a sparse tensor"
            if part == INITIALIZER and isinstance(value, Span):
                _add(found, raw, _tensor(raw, value), folder)
    checked(
        bool(found.tensors or found.unread),
        "has no initializers, so it is no ONNX model with weights",
    )
    return found


def _tensor(raw: np.ndarray, span: Span) -> _Tensor:
    tensor = _Tensor()
    for number, value in fields(raw, span):
        if number == DIMS:
            tensor.dims += [value] if isinstance(value, int) else varints(raw, value).tolist()
            checked(len(tensor.dims) <= MOST_AXES, "is damaged: a tensor has too many axes")
        elif number == TYPE and isinstance(value, int):
            tensor.type = value
        elif number == NAME and isinstance(value, Span):
            tensor.name = text(raw, value)
        elif number == RAW and isinstance(value, Span):
            tensor.raw = value
        elif number in (FLOATS, INTS, LONGS, DOUBLES, UNSIGNED):
            pieces = tensor.typed.setdefault(number, [])
            pieces.append(value)
            checked(len(pieces) <= MOST_PIECES, "has a tensor whose elements are stored one by one")
        elif number == EXTERNAL and isinstance(value, Span):
            entry = {
                key: text(raw, part) for key, part in fields(raw, value) if isinstance(part, Span)
            }
            tensor.external[entry.get(1, "")] = entry.get(2, "")
        elif number == LOCATION and isinstance(value, int):
            tensor.is_external = value == 1
    return tensor


def _add(found: Snapshot, raw: np.ndarray, tensor: _Tensor, folder: Path | None) -> None:
    """Add a tensor to a snapshot, or why it cannot be given."""
    name = tensor.name
    checked(
        name not in found.tensors and name not in found.unread,
        f"is damaged: it has '{name}' twice",
    )
    if tensor.type not in DTYPES:
        found.unread[name] = f"it is of type {TYPES.get(tensor.type, tensor.type)}"
        return
    try:
        dtype = dtype_called(DTYPES[tensor.type])
    except FormatError as error:
        found.unread[name] = str(error)
        return
    elements = _elements(raw, tensor, dtype, folder)
    count = math.prod(tensor.dims)
    checked(
        elements.size == count,
        lambda: f"is damaged: tensor '{name}' needs {count} elements, {elements.size} are there",
    )
    try:
        found.tensors[name] = elements.reshape(tensor.dims)
    except (ValueError, OverflowError):
        raise FormatError(
            f"is damaged: tensor '{name}' has the impossible shape {tensor.dims}"
        ) from None


def _elements(raw: np.ndarray, tensor: _Tensor, dtype: np.dtype, folder: Path | None) -> np.ndarray:
    """Return the elements, flat."""
    if tensor.is_external:
        return _viewed(tensor.name, _beside(tensor, folder), dtype)
    if tensor.raw is not None:
        return _viewed(tensor.name, raw[tensor.raw.start : tensor.raw.stop], dtype)
    parts = []
    for number, pieces in tensor.typed.items():
        plain = PLAIN.get(number)
        spans = [piece for piece in pieces if isinstance(piece, Span)]
        alone = [piece for piece in pieces if isinstance(piece, int)]
        if plain is not None:
            parts += [_viewed(tensor.name, raw[one.start : one.stop], plain) for one in spans]
        else:
            parts += [varints(raw, one) for one in spans] + [np.array(alone, np.uint64)]
    elements = parts[0] if len(parts) == 1 else np.concatenate(parts or [np.zeros(0, dtype)])
    if elements.dtype == np.uint64 and dtype.itemsize == 2 and dtype.kind not in "iu":
        return elements.astype(np.uint16).view(dtype)
    return elements.astype(dtype, copy=False)


def _viewed(name: str, part: np.ndarray, dtype: np.dtype) -> np.ndarray:
    checked(
        part.size % dtype.itemsize == 0,
        f"is damaged: tensor '{name}' has {part.size} bytes, no multiple of {dtype.itemsize}",
    )
    return part.view(dtype)


def _beside(tensor: _Tensor, folder: Path | None) -> np.ndarray:
    """Return the bytes of a tensor in a file beside the model. Raises FormatError if it is missing,
    too short, or not beside the model.
    """
    place = tensor.external.get("location", "")
    checked(folder is not None, f"has '{tensor.name}' in another file - read it by its path")
    assert folder is not None
    inside = bool(place) and "\0" not in place and not Path(place).is_absolute()
    checked(
        inside and ".." not in Path(place).parts,
        f"is damaged: '{tensor.name}' lies in {place[:80]!r}, which is not beside it",
    )
    file = folder / place
    checked(
        file.is_file(),
        f"has '{tensor.name}' in {place}, which is missing - copy that file beside it",
    )
    whole = file.stat().st_size
    try:
        start = int(tensor.external.get("offset") or 0)
        length = int(tensor.external.get("length") or whole - start)
    except ValueError:
        raise FormatError(f"is damaged: '{tensor.name}' has no proper place in {place}") from None
    checked(
        start >= 0 and 0 <= length <= whole - start,
        f"has '{tensor.name}' in {place}, which is cut short: {whole} bytes are there",
    )
    return mapped(file)[start : start + length]
