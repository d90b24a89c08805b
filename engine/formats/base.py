"""What a snapshot is, and what a file format can do with it."""

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
from initlab.engine.registry import Registry, advice

REGISTRY: Registry[Format] = Registry("snapshot format")
TEMPORARY = ".tmp"


@dataclass(frozen=True)
class Snapshot:
    """Named tensors; `aliases` (name -> owner) are stored once; `metadata` is JSON."""

    tensors: dict[str, np.ndarray]
    aliases: dict[str, str] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)


class Format(ABC):
    """A file format. Writing is atomic: the file appears whole, under its own name, or not at all."""

    name: ClassVar[str]
    suffix: ClassVar[str]
    for_runs: ClassVar[bool] = True
    """Whether a run can keep its first values in it: names, aliases and metadata, in one file."""

    def write(self, path: str | os.PathLike[str], snapshot: Snapshot) -> None:
        """Write `snapshot` to `path`, durably. FormatError for what the format cannot hold."""
        path = Path(path)
        try:
            check_names(snapshot)
            with replacing(path) as file:
                self.dump(file, snapshot)
        except FormatError as error:
            raise FormatError(f"{path} cannot be written: {error}") from error

    def read(self, path: str | os.PathLike[str]) -> Snapshot:
        """The snapshot in `path`. FileNotFoundError, or FormatError for a file that is damaged, cut
        short or of another kind.
        """
        path = Path(path)
        data = path.read_bytes()
        try:
            snapshot = self.parse(data)
            check_names(snapshot)
            return snapshot
        except FormatError as error:
            raise FormatError(f"{path}: {error} - write the file again") from error

    @abstractmethod
    def dump(self, file: BinaryIO, snapshot: Snapshot) -> None:
        """Write the bytes; the same bytes for the same snapshot."""

    @abstractmethod
    def parse(self, data: bytes) -> Snapshot:
        """The snapshot of a file's bytes; FormatError saying what is wrong."""


def check_names(snapshot: Snapshot) -> None:
    """FormatError unless all names are text that UTF-8 can hold, and each alias is a new name of a
    tensor that is there.
    """
    for name in [*snapshot.tensors, *snapshot.aliases]:
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


@contextmanager
def replacing(path: Path, durable: bool = True) -> Iterator[BinaryIO]:
    """A file that takes the name `path` when the block ends well, and is removed when it does not.
    With `durable` it is on the disk then, and so is its name.

    It is made under a name of its own, so that neither another writer nor what a killed one left
    can get into it.
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
    """Make a file durable, or what was renamed into or removed from a folder."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def get(name_or_path: str | os.PathLike[str]) -> Format:
    """The format called so, or the one that a path's suffix tells. FormatError with the known ones."""
    text = os.fspath(name_or_path)
    if text in REGISTRY:
        return REGISTRY.get(text)
    suffix = Path(text).suffix
    for file_format in REGISTRY.entries().values():
        if suffix == file_format.suffix:
            return file_format
    raise FormatError(
        f"no snapshot format for '{text}' - {advice(suffix.lstrip('.') or text, names())}"
    )


F = TypeVar("F", bound=type[Format])


def register(cls: F) -> F:
    """A decorator that makes a format known under its `name` and its `suffix`."""
    REGISTRY.add(cls.name, cls())
    return cls


def names() -> list[str]:
    """The names of all formats."""
    return list(REGISTRY)


def for_runs() -> dict[str, Format]:
    """The formats that a run can keep its first values in, by name."""
    return {name: found for name, found in REGISTRY.entries().items() if found.for_runs}


def little_endian(array: np.ndarray) -> np.ndarray:
    """The array in C order with little-endian elements."""
    contiguous = np.asarray(array, order="C")
    return (
        contiguous.astype(contiguous.dtype.newbyteorder("<"))
        if contiguous.dtype.byteorder == ">"
        else contiguous
    )


def dtype_called(name: str) -> np.dtype:
    """The dtype. FormatError where it is not installed."""
    try:
        return dtypes.resolve(name)
    except MXNetError as error:
        raise FormatError(str(error)) from None


def tensor_of(
    name: str, raw: bytes | memoryview, dtype: np.dtype, shape: Sequence[int]
) -> np.ndarray:
    """A tensor of its own from as many bytes as it needs. FormatError for an impossible shape, and
    for booleans that are none.
    """
    try:
        array = np.frombuffer(raw, np.uint8).copy().view(dtype).reshape(shape)
    except (ValueError, OverflowError):
        raise FormatError(
            f"is damaged: tensor '{name}' has the impossible shape {list(shape)}"
        ) from None
    if dtype == np.bool_:
        checked(
            bool((array.view(np.uint8) <= 1).all()),
            f"is damaged: tensor '{name}' has booleans that are neither 0 nor 1",
        )
    return array


def checked(condition: bool, message: str | Callable[[], str]) -> None:
    """FormatError with `message` unless `condition`."""
    if not condition:
        raise FormatError(message if isinstance(message, str) else message())
