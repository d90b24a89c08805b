"""PyTorch's `.pth`, `.pt`, `.bin` and `.ckpt` files, read without torch and without unpickling.

Both layouts of `torch.save` are read, the zip archive and the older one of pickles in a row, and the
archives of `torch.jit.save`. `pickled` follows the opcodes; here their data become tensors: views of
storages that are mapped into memory, with their strides and offsets. Names are the keys on the way to
a tensor, joined by dots; of a whole module they are those of its `state_dict`. Source:
torch/serialization.py and torch/_utils.py of PyTorch 2.13.

Files are read only. The checksums of a zip are not compared: torch writes none where it is told so
(`torch.serialization.set_crc32_options`), and reads such files.
"""

from __future__ import annotations

import math
import os
import re
import struct
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, ClassVar

import numpy as np

from initlab.engine.errors import FormatError
from initlab.engine.formats import archive
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
from initlab.engine.formats.pickled import ROOM, Machine, Made, Name, Reference

MAGIC, PROTOCOL = 0x1950A86A20F9469CFC6C, 1001
STORAGES = {
    "DoubleStorage": "float64",
    "FloatStorage": "float32",
    "HalfStorage": "float16",
    "BFloat16Storage": "bfloat16",
    "LongStorage": "int64",
    "IntStorage": "int32",
    "ShortStorage": "int16",
    "CharStorage": "int8",
    "ByteStorage": "uint8",
    "BoolStorage": "bool",
    "UntypedStorage": "uint8",
}
"""The dtype of a storage, by torch's name for its class."""
OTHERS = {"ComplexFloatStorage": 8, "ComplexDoubleStorage": 16, "QInt8Storage": 1,
          "QUInt8Storage": 1, "QInt32Storage": 4}  # fmt: skip
"""Storages whose elements are no real numbers: the bytes of one."""
NEWER = {"uint16": "uint16", "uint32": "uint32", "uint64": "uint64"}
"""Dtypes without a storage class of their own."""
REBUILT = ("torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2")
REBUILT_NEWER = "torch._utils._rebuild_tensor_v3"
PARAMETERS = (
    "torch._utils._rebuild_parameter",
    "torch._utils._rebuild_parameter_with_state",
)
SUBCLASS = "torch._tensor._rebuild_from_type_v2"
WITHIN = {"_parameters", "_buffers", "_modules"}
"""What a module has of its `state_dict`; these words are no part of a parameter's name."""
NEEDED = re.compile(r"[^/]*/?(data\.pkl$|byteorder$|data/)")
"""The members of an archive that tensors need; torch.jit.save compresses others."""
MOST_AXES = 64
MOST_DEPTH = 100
LONGEST_NAME = 4096
LARGEST = 1 << 62
BLANK = "its view has more elements than it has numbers to show"


@dataclass(frozen=True)
class _Storage:
    """Elements in the file, and where they begin; None if they are in a part that follows later."""

    kind: str
    key: str
    count: int

    @property
    def itemsize(self) -> int:
        return OTHERS.get(self.kind) or dtype_called(STORAGES[self.kind]).itemsize


@dataclass(frozen=True)
class _View:
    """A tensor as torch describes it: a view of a storage, in elements of its dtype."""

    storage: _Storage
    dtype: str
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


@register
class Pth(Format):
    """The files of `torch.save`. They are read only."""

    name: ClassVar[str] = "pth"
    suffix: ClassVar[str] = ".pth"
    also: ClassVar[tuple[str, ...]] = (".pt", ".bin", ".ckpt", ".tar")
    """Training scripts call them `.pth.tar`, too, though they are no archives of tar."""
    for_runs: ClassVar[bool] = False

    def read(self, path: str | os.PathLike[str]) -> Snapshot:
        """Return the tensors; those that share a view of one storage are ties."""
        return _opened(Path(path), np.fromfile(path, np.uint8))

    def open(self, path: str | os.PathLike[str]) -> Snapshot:
        """Return the tensors, mapped into memory."""
        return _opened(Path(path), mapped(Path(path)))

    def dump(self, file: BinaryIO, snapshot: Snapshot) -> None:
        """Raise FormatError: torch reads safetensors."""
        raise FormatError("files of torch are only read - write .safetensors, which torch reads")

    def parse(self, data: bytes) -> Snapshot:
        """Return the tensors in the bytes of a file."""
        return _tensors_in(np.frombuffer(data, np.uint8))


def _opened(path: Path, raw: np.ndarray) -> Snapshot:
    try:
        snapshot = _tensors_in(raw)
        check_names(snapshot)
        return snapshot
    except FormatError as error:
        raise unreadable(path, error) from error


def _tensors_in(raw: np.ndarray) -> Snapshot:
    first = raw[:KIND_BYTES].tobytes()
    check_kind(first, "pth")
    if first.startswith(b"PK"):
        content, storages = _read_zip(raw)
    else:
        content, storages = _read_old(raw)
    tensors: dict[str, np.ndarray] = {}
    aliases: dict[str, str] = {}
    unread: dict[str, str] = {}
    owners: dict[_View, str] = {}
    for name, found in _named(content):
        checked(
            not (name in tensors or name in aliases or name in unread),
            f"is damaged: it has '{name}' twice",
        )
        try:
            view = _view(found)
            if view in owners:
                aliases[name] = owners[view]
            else:
                tensors[name] = _array(name, view, storages)
                owners[view] = name
        except _Unread as reason:
            unread[name] = str(reason)
    checked(bool(tensors or unread), "has no tensors, so it is no file of weights")
    return Snapshot(tensors, aliases, {}, unread)


class _Unread(Exception):
    """Why a tensor that is in the file cannot be given."""


# ---------------------------------------------------------------- the two layouts

Storages = dict[str, np.ndarray]


def _read_zip(raw: np.ndarray) -> tuple[Any, Storages]:
    """Return (the pickled object, the bytes of each storage by key) of an archive."""
    try:
        members = {name: one.part for name, one in archive.members(raw, NEEDED).items()}
    except zipfile.BadZipFile as error:
        raise FormatError(f"is damaged or cut short ({error})") from None
    pickles = [name for name in members if name.rpartition("/")[2] == "data.pkl"]
    checked(len(pickles) == 1, "is no file of torch.save: it has no single data.pkl")
    root = pickles[0].removesuffix("data.pkl")
    order = members.get(f"{root}byteorder")
    checked(
        order is None or order[:16].tobytes().strip() == b"little", "has its bytes in big order"
    )
    content = Machine(members[pickles[0]].data, 0, ROOM + 2 * raw.size).run()
    data = f"{root}data/"
    return content, {
        name.removeprefix(data): part for name, part in members.items() if name.startswith(data)
    }


def _read_old(raw: np.ndarray) -> tuple[Any, Storages]:
    """Return the same of the older layout: five pickles, then for each storage its length and its
    bytes.
    """
    data, at = raw.data, 0
    room = ROOM + 2 * raw.size
    parts = []
    for number in range(5):
        machine = Machine(data, at, room)
        parts.append(machine.run())
        at, room = machine.at, machine.room
        checked(number != 0 or parts[0] == MAGIC, "is a pickle, but none of torch.save")
    _, protocol, system, content, keys = parts
    checked(protocol == PROTOCOL, f"is of protocol {protocol!r}, {PROTOCOL} is read")
    little = not isinstance(system, dict) or system.get("little_endian", True)
    checked(bool(little), "has its bytes in big order")
    kinds = {one.key: one for one in _storages(content)}
    checked(
        isinstance(keys, list) and all(isinstance(key, str) for key in keys),
        "is damaged: it does not list its storages",
    )
    storages: Storages = {}
    for key in keys:
        checked(at + 8 <= raw.size, "is cut short")
        (count,) = struct.unpack("<q", raw[at : at + 8].tobytes())
        checked(key in kinds, f"is damaged: no tensor is in its storage {key[:40]!r}")
        size = count * kinds[key].itemsize
        checked(0 <= size <= raw.size - at - 8, "is cut short within a storage")
        storages[key] = raw[at + 8 : at + 8 + size]
        at += 8 + size
    return content, storages


# ---------------------------------------------------------------- from data to tensors


def _walk(content: Any, deep: bool = False) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield everything in a pickled object with the keys on the way to it, each container once; with
    `deep` also what tensors are made from.
    """
    seen: set[int] = set()
    left: list[tuple[tuple[str, ...], Any]] = [((), content)]
    while left:
        path, value = left.pop()
        yield path, value
        if not isinstance(value, (dict, list, tuple, Made)) or id(value) in seen:
            continue
        if _is_tensor(value) and not deep:
            continue
        seen.add(id(value))
        checked(len(path) < MOST_DEPTH, f"is nested more than {MOST_DEPTH} deep")
        inner = list(_inner(path, value))
        left += reversed(inner)


def _inner(path: tuple[str, ...], value: Any) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(value, Made):
        for part in (*value.arguments, value.items, value.elements):
            yield path, part
        state = value.state
        is_module = isinstance(state, dict) and "_parameters" in state and "_modules" in state
        for key, part in state.items() if isinstance(state, dict) else [("", state)]:
            if not is_module or key in WITHIN:
                yield (path if is_module or key == "" else (*path, _text(key))), part
        return
    for key, part in value.items() if isinstance(value, dict) else enumerate(value):
        if isinstance(part, (dict, list, tuple, Made, Reference)):
            yield (*path, _text(key)), part


def _text(key: Any) -> str:
    if isinstance(key, tuple):
        return ",".join(map(_text, key))
    if isinstance(key, (Name, Made)):
        return (key.text if isinstance(key, Name) else key.name)[:80]
    return key if isinstance(key, str) else str(key)[:80]


def _is_tensor(value: Any) -> bool:
    """Return whether torch would have made a tensor here."""
    name = value.name if isinstance(value, Made) else ""
    return name.startswith("torch.") and "_rebuild_" in name


def _named(content: Any) -> Iterator[tuple[str, Made]]:
    for path, value in _walk(content):
        if _is_tensor(value):
            checked(sum(map(len, path)) <= LONGEST_NAME, "has a tensor with a name without end")
            yield ".".join(path) or "tensor", value


def _storages(content: Any) -> Iterator[_Storage]:
    """Yield the storages that anything in a pickled object names."""
    for _, value in _walk(content, deep=True):
        if isinstance(value, Reference):
            yield _storage(value)


def _storage(value: Any) -> _Storage:
    key = value.key if isinstance(value, Reference) else None
    proper = (
        isinstance(key, tuple)
        and len(key) >= 5
        and key[0] == "storage"
        and isinstance(key[1], Name)
        and isinstance(key[2], (str, int))
    )
    if not proper:
        raise FormatError("is damaged: it has a tensor without a storage")
    assert isinstance(key, tuple)
    kind = key[1].text.rpartition(".")[2]
    checked(kind in STORAGES or kind in OTHERS, f"has a storage of the unknown kind {kind[:40]!r}")
    checked(len(key) < 6 or key[5] is None, "has views of storages, which torch wrote before 0.4")
    return _Storage(kind, str(key[2])[:200], _whole(key[4]))


def _whole(value: Any) -> int:
    if type(value) is not int or not 0 <= value < LARGEST:
        raise FormatError(f"is damaged: it has the number {str(value)[:40]} in a tensor")
    return value


def _wholes(value: Any) -> tuple[int, ...]:
    if isinstance(value, Made) and value.name == "torch.Size" and value.arguments:
        value = value.arguments[0]
    proper = isinstance(value, (tuple, list)) and len(value) <= MOST_AXES
    checked(proper, "is damaged: it has a tensor without a proper shape")
    return tuple(map(_whole, value))


def _view(made: Made) -> _View:
    """Return the description of a tensor. Raises _Unread for one that torch alone can make."""
    for _ in range(MOST_DEPTH):
        given = made.arguments
        if made.name in PARAMETERS and given and isinstance(given[0], Made):
            made = given[0]
        elif made.name == SUBCLASS and len(given) > 2 and isinstance(given[0], Name):
            inner = given[2] if isinstance(given[2], tuple) else ()
            made = Made(given[0].text, inner)
        else:
            break
    if made.name not in (*REBUILT, REBUILT_NEWER):
        what = made.name.rpartition("_rebuild_")[2].replace("_", " ")[:60]
        raise _Unread(f"it is a {what} of torch, whose values are no plain array")
    checked(len(given) >= 4, "is damaged: it has a tensor without a shape")
    storage = _storage(given[0])
    dtype = STORAGES.get(storage.kind, storage.kind)
    if made.name == REBUILT_NEWER:
        named = given[6].text if len(given) > 6 and isinstance(given[6], Name) else "torch.unknown"
        dtype = named.removeprefix("torch.")
        if dtype not in NEWER:
            raise _Unread(f"it is of dtype {dtype[:40]}")
    elif storage.kind not in STORAGES:
        raise _Unread(f"it is of dtype {storage.kind.removesuffix('Storage')}")
    shape, strides = _wholes(given[2]), _wholes(given[3])
    checked(len(shape) == len(strides), "is damaged: it has a tensor without proper strides")
    return _View(storage, dtype, _whole(given[1]), shape, strides)


def _array(name: str, view: _View, storages: Storages) -> np.ndarray:
    """Return a tensor. Raises FormatError if it reaches beyond its storage, and _Unread for a dtype
    that is not there, and for a view that repeats so many elements that it is larger than its file.
    """
    try:
        dtype = dtype_called(view.dtype)
    except FormatError as error:
        raise _Unread(str(error)) from None
    raw = storages.get(view.storage.key)
    if raw is None:
        raise FormatError(f"is damaged: the storage of '{name}' is missing")
    announced = view.storage.count * view.storage.itemsize
    checked(raw.size >= announced, f"is cut short: the storage of '{name}' has {raw.size} bytes, "
            f"{announced} announced")  # fmt: skip
    elements = raw[: raw.size // dtype.itemsize * dtype.itemsize].view(dtype)
    count = math.prod(view.shape)
    if count == 0:
        checked(max(view.shape) < LARGEST, f"is damaged: '{name}' has an impossible shape")
        try:
            return np.zeros(view.shape, dtype)
        except ValueError:
            raise FormatError(f"is damaged: '{name}' has an impossible shape") from None
    last = view.offset + sum((n - 1) * s for n, s in zip(view.shape, view.strides, strict=True))
    checked(last < elements.size, f"is damaged: '{name}' reaches beyond its storage")
    if count > elements.size:
        raise _Unread(BLANK)
    return np.lib.stride_tricks.as_strided(
        elements[view.offset :], view.shape, [s * dtype.itemsize for s in view.strides]
    )
