"""Snapshot and Format, the base class of file formats, and the registry of formats."""

from __future__ import annotations

import os
import secrets
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, ClassVar, TypeVar

import numpy as np

from initlab.engine import dtypes
from initlab.engine.errors import FormatError, MXNetError
from initlab.engine.formats import pages
from initlab.engine.formats.foreign import KIND_BYTES, other_kind, other_suffix
from initlab.engine.registry import Registry, advice

REGISTRY: Registry[Format] = Registry("snapshot format")
TEMPORARY = ".tmp"
MOST = 3
"""Files that an error names."""


@dataclass(frozen=True)
class Snapshot:
    """Named tensors. `aliases` maps a name to the tensor it shares; `metadata` is JSON."""

    tensors: dict[str, np.ndarray]
    aliases: dict[str, str] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    unread: dict[str, str] = field(default_factory=dict)
    """Tensors of other libraries' files that cannot be given as arrays, and why."""


class Format(ABC):
    """Base class of file formats. A write is atomic: the file appears complete or not at all."""

    name: ClassVar[str]
    suffix: ClassVar[str]
    also: ClassVar[tuple[str, ...]] = ()
    """Other suffixes of its files."""
    for_runs: ClassVar[bool] = True
    """Whether a run can store its first values in it, which needs names, aliases and metadata in one
    file."""

    def write(self, path: str | os.PathLike[str], snapshot: Snapshot) -> None:
        """Write `snapshot` to `path`; it is on the disk when the call returns.

        Raises FormatError if the format cannot hold the snapshot or the file cannot be written.
        """
        path = Path(path)
        try:
            check_names(snapshot)
            with replacing(path) as file:
                self.dump(file, snapshot)
        except FormatError as error:
            raise FormatError(f"{path} cannot be written: {error}") from error

    def read(self, path: str | os.PathLike[str]) -> Snapshot:
        """Read the snapshot in `path`.

        Raises FileNotFoundError, or FormatError if the file is damaged, cut short or of another
        kind.
        """
        path = Path(path)
        data = path.read_bytes()
        try:
            check_kind(data[:KIND_BYTES], self.name)
            snapshot = self.parse(data)
            check_names(snapshot)
            return snapshot
        except FormatError as error:
            raise unreadable(path, error) from error

    def open(self, path: str | os.PathLike[str]) -> Snapshot:
        """Return the snapshot in `path`; its tensors are mapped into memory and read on access where
        the format allows it. Writing to a tensor does not change the file. Errors are `read`'s.
        """
        return self.read(path)

    @abstractmethod
    def dump(self, file: BinaryIO, snapshot: Snapshot) -> None:
        """Write the bytes of a snapshot. The same snapshot gives the same bytes."""

    @abstractmethod
    def parse(self, data: bytes) -> Snapshot:
        """Return the snapshot in the bytes of a file. Raises FormatError that says what is wrong."""


def unreadable(path: Path, error: FormatError) -> FormatError:
    """Return the error for the file at `path`, with what to do."""
    said = " ".join(str(error).splitlines())  # names in a file may hold line breaks
    if isinstance(error, OtherKind):
        return OtherKind(f"{path}: {said}")
    return FormatError(f"{path}: {said} - write the file again")


def check_names(snapshot: Snapshot) -> None:
    """Check names and aliases.

    Raises FormatError unless all names are valid UTF-8 text and each alias is a new name for an
    existing tensor.
    """
    for name in [*snapshot.tensors, *snapshot.aliases, *snapshot.unread]:
        proper = isinstance(name, str) and not any(
            "\ud800" <= letter <= "\udfff" for letter in name
        )
        if not proper:
            raise FormatError(f"a tensor is called {name!r}, which is no text")
    for alias, owner in snapshot.aliases.items():
        checked(
            isinstance(owner, str) and owner in snapshot.tensors,
            f"alias '{alias}' is of '{owner}', which is no tensor of it",
        )
        checked(alias not in snapshot.tensors, f"'{alias}' is both a tensor and an alias")


def check_kind(first: bytes, reader: str) -> None:
    """Raise FormatError if a file that begins with these bytes is what often lies in the place of
    weights, and none that the format `reader` reads.
    """
    found = other_kind(first, reader)
    if found is not None:
        raise OtherKind(f"is {found}")


class OtherKind(FormatError):
    """A file that is no damaged one but another one; the message says what to do."""


@contextmanager
def replacing(path: Path, durable: bool = True) -> Iterator[BinaryIO]:
    """Open a temporary file that is renamed to `path` on success and removed on an error.

    With `durable`, file and name are synced to the disk. The temporary name is unique, so
    concurrent writers and remains of killed ones do no harm.
    """
    temporary = path.with_name(f"{path.name}.{os.getpid()}-{secrets.token_hex(4)}{TEMPORARY}")
    with open(temporary, "xb") as file:
        try:
            yield file
            file.flush()
            if durable:
                os.fsync(file.fileno())
            os.replace(temporary, path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    if durable:
        sync(path.parent)


def sync(path: Path) -> None:
    """Sync a file to the disk, or a folder after a file in it was renamed or removed."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def get(name_or_path: str | os.PathLike[str]) -> Format:
    """Return a format by its name or by the suffix of a path.

    Raises FormatError, which lists the known formats, or says what a folder or another library's
    file is.
    """
    text = os.fspath(name_or_path)
    if text in REGISTRY:
        return REGISTRY.get(text)
    suffix = Path(text).suffix
    if os.path.isdir(text):
        raise OtherKind(f"{text}: is a folder{_inside(Path(text))}")
    for file_format in REGISTRY.entries().values():
        if suffix.lower() in (file_format.suffix, *file_format.also):
            return file_format
    foreign = other_suffix(suffix)
    if foreign is not None:
        raise OtherKind(f"{text}: is {foreign}")
    found = _kind_of_file(Path(text))
    if found is not None:
        raise OtherKind(f"{text}: is {found}")
    raise FormatError(
        f"no snapshot format for '{text}' - {advice(suffix.lstrip('.') or text, names())}"
    )


def _kind_of_file(path: Path) -> str | None:
    """Return what a file is by its first bytes, if it is there and they say it."""
    try:
        with open(path, "rb") as file:
            return other_kind(file.read(KIND_BYTES))
    except (OSError, ValueError):
        return None


def _inside(folder: Path) -> str:
    """Return which snapshots lie in a folder, as the end of a message."""
    found = weights_in(folder)
    if not found:
        return f" without a snapshot - give a file. Known: {', '.join(names())}."
    return f" - give the file in it: {' or '.join(map(str, found[:MOST]))}"


def weights_in(folder: Path) -> list[Path]:
    """Return the files of weights in a folder by their names, or the indexes of them if there are some."""
    every = REGISTRY.entries().values()
    suffixes = {suffix for one in every for suffix in (one.suffix, *one.also)} - {".json"}
    found = sorted(
        path
        for path in folder.iterdir()
        if path.suffix in suffixes or path.name.endswith(".index.json")
    )
    return [path for path in found if path.name.endswith(".index.json")] or found


F = TypeVar("F", bound=type[Format])


def register(cls: F) -> F:
    """Register a format class under its `name` and its `suffix` (a decorator)."""
    REGISTRY.add(cls.name, cls())
    return cls


def names() -> list[str]:
    """Return the names of all formats."""
    return list(REGISTRY)


def for_runs() -> dict[str, Format]:
    """Return the formats in which a run can store its first values, by name."""
    return {name: found for name, found in REGISTRY.entries().items() if found.for_runs}


def little_endian(array: np.ndarray) -> np.ndarray:
    """Return the array in C order with little-endian elements."""
    contiguous = np.asarray(array, order="C")
    return (
        contiguous.astype(contiguous.dtype.newbyteorder("<"))
        if contiguous.dtype.byteorder == ">"
        else contiguous
    )


def dtype_called(name: str) -> np.dtype:
    """Return the dtype of that name. Raises FormatError if it is not available."""
    try:
        return dtypes.resolve(name)
    except MXNetError as error:
        raise FormatError(str(error)) from None


def tensor_of(
    name: str, raw: bytes | memoryview, dtype: np.dtype, shape: Sequence[int]
) -> np.ndarray:
    """Copy bytes into a tensor of this dtype and shape. Raises FormatError like `view_of`."""
    return view_of(name, np.frombuffer(raw, np.uint8).copy(), dtype, shape)


def view_of(name: str, raw: np.ndarray, dtype: np.dtype, shape: Sequence[int]) -> np.ndarray:
    """Return bytes as a tensor of this dtype and shape, without copying.

    Raises FormatError if the shape is impossible or a boolean is neither 0 nor 1.
    """
    try:
        array = raw.view(dtype).reshape(shape)
    except (ValueError, OverflowError):
        raise FormatError(
            f"is damaged: tensor '{name}' has the impossible shape {list(shape)}"
        ) from None
    if dtype == np.bool_:
        checked(
            all(bool((block <= 1).all()) for block in pages.read_once(array.view(np.uint8))),
            f"is damaged: tensor '{name}' has booleans that are neither 0 nor 1",
        )
    return array


def mapped(path: Path) -> np.ndarray:
    """Return the bytes of a file, mapped into memory; writing to them does not change the file."""
    if not path.stat().st_size:
        return np.zeros(0, np.uint8)
    found: np.ndarray = np.memmap(path, np.uint8, mode="c").view(np.ndarray)
    return found


def checked(condition: bool, message: str | Callable[[], str]) -> None:
    """Raise FormatError with `message` unless `condition` holds."""
    if not condition:
        raise FormatError(message if isinstance(message, str) else message())
