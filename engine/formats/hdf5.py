"""The datasets of an HDF5 file, as Keras writes weights. Reading needs the package h5py.

A dataset's name is its path with dots. Elements that lie in the file in their own form are mapped into
memory; compressed ones and those in chunks are read. Links to other files are not followed. Ties are
datasets with several paths.
"""

from __future__ import annotations

import math
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, ClassVar

import numpy as np

from initlab.engine.errors import FormatError
from initlab.engine.formats.base import (
    Format,
    OtherKind,
    Snapshot,
    check_kind,
    check_names,
    checked,
    register,
    unreadable,
)
from initlab.engine.formats.foreign import KIND_BYTES

if TYPE_CHECKING:
    import h5py

MOST_DEPTH = 64
DENSEST, FREE = 1100, 1 << 20
"""How many times larger than in the file a dataset may be (deflate reaches 1032), and the bytes from
which that is asked.
"""
DAMAGE = (OSError, RuntimeError, KeyError, ValueError, TypeError, NotImplementedError)
"""Exceptions that h5py raises for invalid bytes."""


@register
class Hdf5(Format):
    """`.h5` and `.hdf5` files. They are read only."""

    name: ClassVar[str] = "hdf5"
    suffix: ClassVar[str] = ".h5"
    also: ClassVar[tuple[str, ...]] = (".hdf5",)
    for_runs: ClassVar[bool] = False

    def read(self, path: str | os.PathLike[str]) -> Snapshot:
        """Return the datasets. Raises FormatError if h5py is not installed."""
        return self.open(path)

    def open(self, path: str | os.PathLike[str]) -> Snapshot:
        """Return the datasets, mapped into memory where they can be."""
        path = Path(path)
        with open(path, "rb") as file:
            first = file.read(KIND_BYTES)
        try:
            check_kind(first, "hdf5")
            checked(b"\x89HDF" in first, "is no HDF5 file")
            snapshot = _datasets(path)
            check_names(snapshot)
            return snapshot
        except FormatError as error:
            raise unreadable(path, error) from error

    def dump(self, file: BinaryIO, snapshot: Snapshot) -> None:
        """Raise FormatError: h5py writes these files."""
        raise FormatError("HDF5 files are only read - write .safetensors or .npz")

    def parse(self, data: bytes) -> Snapshot:
        """Return the datasets in the bytes of a file."""
        with tempfile.NamedTemporaryFile(suffix=self.suffix) as file:
            file.write(data)
            file.flush()
            found = _datasets(Path(file.name))
            return Snapshot({name: array.copy() for name, array in found.tensors.items()},
                            found.aliases, {}, found.unread)  # fmt: skip


def _datasets(path: Path) -> Snapshot:
    try:
        import h5py
    except ImportError:
        raise OtherKind(
            "is an HDF5 file, which needs the package h5py - pip install 'initlab[hdf5]'"
        ) from None
    found = Snapshot({})
    owners: dict[int, str] = {}
    try:
        with h5py.File(path, "r") as file:
            for name, dataset in _walk(file):
                known = {*found.tensors, *found.aliases, *found.unread}
                checked(name not in known, f"has '{name}' twice")
                address = int(h5py.h5o.get_info(dataset.id).addr)
                if address in owners:
                    found.aliases[name] = owners[address]
                    continue
                reason = _unread(dataset)
                if reason:
                    found.unread[name] = reason
                else:
                    owners[address] = name
                    found.tensors[name] = _values(dataset, path, file.userblock_size)
    except DAMAGE as error:
        if isinstance(error, FormatError):
            raise
        said = " ".join(str(error).split())[:200]
        raise FormatError(f"is damaged or cut short ({said})") from None
    checked(bool(found.tensors or found.unread), "has no datasets, so it is no file of weights")
    return found


def _walk(file: h5py.File) -> Iterator[tuple[str, h5py.Dataset]]:
    """Yield (name, dataset), each group once; links into other files are left out."""
    import h5py

    seen: set[int] = set()
    left: list[tuple[tuple[str, ...], h5py.Group]] = [((), file)]
    while left:
        path, group = left.pop()
        address = int(h5py.h5o.get_info(group.id).addr)
        if address in seen:
            continue
        seen.add(address)
        checked(len(path) <= MOST_DEPTH, f"is nested more than {MOST_DEPTH} deep")
        for key in group:
            if not isinstance(group.get(key, getlink=True), h5py.HardLink):
                continue
            value = group[key]
            if isinstance(value, h5py.Dataset):
                yield ".".join((*path, str(key))), value
            elif isinstance(value, h5py.Group):
                left.append(((*path, str(key)), value))


def _unread(dataset: h5py.Dataset) -> str | None:
    """Return why a dataset cannot be given as an array, if so."""
    if dataset.shape is None or dataset.dtype.kind not in "biuf" or dataset.dtype.itemsize > 8:
        return f"it is of dtype {dataset.dtype}"
    if dataset.is_virtual or dataset.external:
        return "its elements lie in another file"
    size, stored = math.prod(dataset.shape) * dataset.dtype.itemsize, dataset.id.get_storage_size()
    if size > FREE and size > DENSEST * stored:
        return f"it says that it has {size} bytes, and {stored} are in the file"
    return None


def _values(dataset: h5py.Dataset, path: Path, before: int) -> np.ndarray:
    offset = None if before else dataset.id.get_offset()
    size = math.prod(dataset.shape) * dataset.dtype.itemsize
    in_form = dataset.dtype.isnative and dataset.dtype.kind != "b" and not dataset.chunks
    if offset is None or not size or not in_form:
        values: np.ndarray = dataset[...]
        native: np.ndarray = values.astype(values.dtype.newbyteorder("="), copy=False)
        return native
    checked(offset + size <= path.stat().st_size, f"is cut short within '{dataset.name}'")
    mapped: np.ndarray = np.memmap(path, dataset.dtype, "c", offset, dataset.shape)
    return mapped.view(np.ndarray)
