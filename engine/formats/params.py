"""MXNet's `.params` files, as `mx.nd.save` writes and `mx.nd.load` reads them.

Little endian: u64 0x112, u64 0, u64 count, the arrays, u64 number of names, the names (u64 length,
bytes). An array: u32 magic (V2 0xF993FAC9, V3 …CA under np_shape, V1 …C8, else V0 and the word is
ndim), for V2 and V3 an i32 storage type, the shape (i32 ndim and i64 dimensions; V0: u32), i32
device type, i32 device id, i32 type flag, the elements in C order. Source: MXNet 1.9.1
src/ndarray/ndarray.cc. Only dense arrays are supported.

In V2, an array with no axes looks like a missing array. A file with such an array is written in V3
throughout; MXNet reads such a file only under `np_shape`.
"""

from __future__ import annotations

import math
import os
import struct
from collections.abc import Callable, Sequence
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
    little_endian,
    mapped,
    register,
    tensor_of,
    unreadable,
    view_of,
)
from initlab.engine.formats.foreign import KIND_BYTES, other_kind

LIST_MAGIC = 0x112
V1, V2, V3 = 0xF993FAC8, 0xF993FAC9, 0xF993FACA
FLAGS = {
    "float32": 0,
    "float64": 1,
    "float16": 2,
    "uint8": 3,
    "int32": 4,
    "int8": 5,
    "int64": 6,
    "bool": 7,
    "bfloat16": 12,
}
NAMES = {flag: name for name, flag in FLAGS.items()}
INVALID = "Invalid NDArray file format"


def dumps(
    arrays: Sequence[np.ndarray],
    names: Sequence[str],
    devices: Sequence[tuple[int, int]] | None = None,
) -> bytes:
    """Return the bytes of a file. `names` is empty for a list of arrays.

    `devices` holds (type, id) for each array; the default (1, 0) is cpu(0). Raises FormatError for
    a dtype that MXNet does not have.
    """
    magic = V3 if any(np.ndim(array) == 0 for array in arrays) else V2
    parts = [struct.pack("<QQQ", LIST_MAGIC, 0, len(arrays))]
    for number, array in enumerate(arrays):
        parts += _dump_array(
            magic, little_endian(array), (1, 0) if devices is None else devices[number]
        )
    parts.append(struct.pack("<Q", len(names)))
    for name in names:
        text = name.encode("utf-8")
        parts += [struct.pack("<Q", len(text)), text]
    return b"".join(parts)


def _dump_array(magic: int, array: np.ndarray, device: tuple[int, int]) -> list[bytes]:
    if array.dtype.name not in FLAGS:
        raise FormatError(f"dtype {array.dtype.name} cannot be saved in a .params file")
    head = struct.pack("<Iii", magic, 0, array.ndim) + struct.pack(f"<{array.ndim}q", *array.shape)
    return [head, struct.pack("<iii", *device, FLAGS[array.dtype.name]), array.tobytes()]


class _Reader:
    """Reads values from bytes in order. Raises FormatError if the bytes end too early."""

    def __init__(self, data: memoryview) -> None:
        self.data = data
        self.at = 0

    def bytes(self, count: int, failed: str) -> memoryview:
        if count < 0 or self.at + count > len(self.data):
            raise FormatError(f"Check failed: {failed}: {INVALID}")
        self.at += count
        return self.data[self.at - count : self.at]

    def numbers(self, layout: str, failed: str) -> tuple[int, ...]:
        return struct.unpack("<" + layout, self.bytes(struct.calcsize("<" + layout), failed))


def loads(data: bytes) -> tuple[list[np.ndarray | None], list[str], list[tuple[int, int]]]:
    """Return (arrays, names, devices) from the bytes of a file.

    An array whose shape was unknown is None. Like MXNet, this ignores bytes after the names. Raises
    FormatError with MXNet's messages.
    """
    return _load(_Reader(memoryview(data)))


Place = Callable[[str, memoryview, np.dtype, Sequence[int]], np.ndarray]
"""Makes a tensor from its name, bytes, dtype and shape."""


def _load(
    reader: _Reader, place: Place = tensor_of
) -> tuple[list[np.ndarray | None], list[str], list[tuple[int, int]]]:
    header, _ = reader.numbers("QQ", "header == kMXAPINDArrayListMagic")
    if header != LIST_MAGIC:
        found = other_kind(bytes(reader.data[:KIND_BYTES]), "params")
        aside = "" if found is None else f" (it is {found})"
        raise FormatError(f"Check failed: header == kMXAPINDArrayListMagic: {INVALID}{aside}")
    (count,) = reader.numbers("Q", "fi->Read(data)")
    arrays: list[np.ndarray | None] = []
    devices = []
    for number in range(count):
        array, device = _load_array(reader, str(number), place)
        arrays.append(array)
        devices.append(device)
    (named,) = reader.numbers("Q", "fi->Read(keys)")
    names = []
    for _ in range(named):
        (length,) = reader.numbers("Q", "fi->Read(keys)")
        names.append(_text(reader.bytes(length, "fi->Read(keys)")))
    if named not in (0, count):
        raise FormatError(
            f"Check failed: keys->size() == 0 || keys->size() == data->size(): {INVALID}"
        )
    return arrays, names, devices


def _text(raw: memoryview) -> str:
    try:
        return bytes(raw).decode("utf-8")
    except UnicodeDecodeError:
        raise FormatError(f"Check failed: fi->Read(keys): {INVALID}") from None


def _load_array(
    reader: _Reader, name: str, place: Place
) -> tuple[np.ndarray | None, tuple[int, int]]:
    failed = "fi->Read(data)"
    (magic,) = reader.numbers("I", failed)
    if magic in (V2, V3):
        (storage,) = reader.numbers("i", failed)
        if storage != 0:
            raise FormatError(
                f"sparse arrays (storage type {storage}) cannot be read, only dense ones"
            )
    if magic in (V1, V2, V3):
        (ndim,) = reader.numbers("i", failed)
        none = ndim == -1 if magic == V3 else ndim == 0
        shape = reader.numbers(f"{max(0, ndim)}q", failed) if 0 <= ndim <= 64 else None
    else:
        ndim, none = magic, magic == 0
        shape = reader.numbers(f"{ndim}I", failed) if ndim <= 64 else None
    if none:
        return None, (1, 0)
    if shape is None or min(shape, default=0) < 0:
        raise FormatError(f"Check failed: {failed}: {INVALID}")
    kind, number, flag = reader.numbers("iii", failed)
    if flag not in NAMES:
        raise FormatError(f"an array has the unknown type flag {flag}: {INVALID}")
    dtype = dtype_called(NAMES[flag])
    raw = reader.bytes(math.prod(shape) * dtype.itemsize, failed)
    return place(name, raw, dtype, shape), (kind, number)


@register
class Params(Format):
    """The `.params` format. Names keep their order.

    MXNet has no aliases, so an alias is written as a tensor of its own.
    """

    name: ClassVar[str] = "params"
    suffix: ClassVar[str] = ".params"
    for_runs: ClassVar[bool] = False

    def dump(self, file: BinaryIO, snapshot: Snapshot) -> None:
        """Write tensors, then aliases with the values of their tensors. Metadata is not stored."""
        tensors = dict(snapshot.tensors) | {
            name: snapshot.tensors[owner] for name, owner in snapshot.aliases.items()
        }
        file.write(dumps(list(tensors.values()), list(tensors)))

    def parse(self, data: bytes) -> Snapshot:
        """Read a file of named arrays.

        Raises FormatError for arrays without names, a name without an array, or bytes after the
        last name.
        """
        return _named(_Reader(memoryview(data)), tensor_of)

    def open(self, path: str | os.PathLike[str]) -> Snapshot:
        """Return the arrays, mapped into memory."""
        path = Path(path)
        raw = mapped(path)
        try:
            check_kind(raw[:KIND_BYTES].tobytes(), self.name)
            snapshot = _named(_Reader(raw.data), _in_place)
            check_names(snapshot)
            return snapshot
        except FormatError as error:
            raise unreadable(path, error) from error


def _in_place(name: str, raw: memoryview, dtype: np.dtype, shape: Sequence[int]) -> np.ndarray:
    return view_of(name, np.asarray(raw), dtype, shape)


def _named(reader: _Reader, place: Place) -> Snapshot:
    """Return the arrays by their names, each made by `place`."""
    arrays, names, _ = _load(reader, place)
    checked(len(names) == len(arrays), "holds a list of arrays without names")
    checked(
        reader.at == len(reader.data),
        f"is damaged: {len(reader.data) - reader.at} bytes too many follow the last name",
    )
    tensors: dict[str, np.ndarray] = {}
    for name, array in zip(names, arrays, strict=True):
        checked(name not in tensors, f"is damaged: it has '{name}' twice")
        if array is None:
            raise FormatError(
                f"has no values for '{name}', which was saved before its shape was known"
            )
        tensors[name] = array
    return Snapshot(tensors)
