"""The datasets of an HDF5 file, as Keras writes weights. Reading needs the package h5py.

A dataset's name is its path with dots. Elements that lie in the file in their own form are mapped into
memory; compressed ones and those in chunks are unpacked chunk by chunk (see `scratch`). Links to other
files are not followed. Ties are datasets with several paths.
"""

from __future__ import annotations

import itertools
import math
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, ClassVar

import numpy as np

from initlab.engine.errors import FormatError
from initlab.engine.formats import scratch
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
PART = 1 << 20
"""Elements that are read at a time from a dataset without chunks."""
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
    packed: dict[str, h5py.Dataset] = {}
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
                    continue
                owners[address] = name
                values = _mapped(dataset, path, file.userblock_size)
                found.tensors[name] = np.zeros(0) if values is None else values
                if values is None:
                    packed[name] = dataset
            found.tensors.update(_unpacked(packed))
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
    stored, itemsize = dataset.id.get_storage_size(), dataset.dtype.itemsize
    largest = max(math.prod(dataset.shape), math.prod(dataset.chunks or ()))
    return scratch.too_dense(largest * itemsize, stored)


def _mapped(dataset: h5py.Dataset, path: Path, before: int) -> np.ndarray | None:
    """Return the elements as they lie in the file; None if they lie there in another form."""
    offset = None if before else dataset.id.get_offset()
    size = math.prod(dataset.shape) * dataset.dtype.itemsize
    in_form = dataset.dtype.isnative and dataset.dtype.kind != "b" and not dataset.chunks
    if offset is None or not size or not in_form:
        return None
    checked(offset + size <= path.stat().st_size, f"is cut short within '{dataset.name}'")
    mapped: np.ndarray = np.memmap(path, dataset.dtype, "c", offset, dataset.shape)
    return mapped.view(np.ndarray)


def _unpacked(packed: dict[str, h5py.Dataset]) -> dict[str, np.ndarray]:
    """Return the elements of datasets by name, read a chunk at a time."""
    kinds = {name: one.dtype.newbyteorder("=") for name, one in packed.items()}
    sizes = [math.prod(one.shape) * one.dtype.itemsize for one in packed.values()]
    found: dict[str, np.ndarray] = {}
    for (name, one), space in zip(packed.items(), scratch.rooms(sizes), strict=True):
        values = space.view(kinds[name]).reshape(one.shape)
        for part in _parts(one):
            values[part] = one[part]
        found[name] = values
    return found


def _parts(dataset: h5py.Dataset) -> Iterator[tuple[slice, ...]]:
    """Yield selections that make up a dataset: its chunks, or a million elements of its rows."""
    width = math.prod(dataset.shape[1:])
    steps = dataset.chunks or (max(1, PART // max(1, width)), *dataset.shape[1:])
    yield from itertools.product(
        *(
            [slice(at, min(at + step, length)) for at in range(0, length, max(1, step))]
            for length, step in zip(dataset.shape, steps[: dataset.ndim], strict=True)
        )
    )
