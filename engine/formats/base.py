"""What a snapshot is, and what a file format can do with it."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, ClassVar

import numpy as np

from engine.errors import FormatError
from engine.registry import Registry, advice

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

    def write(self, path: str | os.PathLike[str], snapshot: Snapshot) -> None:
        """Write `snapshot` to `path`, durably."""
        with replacing(Path(path)) as file:
            self.dump(file, snapshot)

    def read(self, path: str | os.PathLike[str]) -> Snapshot:
        """The snapshot in `path`. FileNotFoundError, or FormatError for a file that is damaged, cut short or of another kind."""
        path = Path(path)
        data = path.read_bytes()
        try:
            return self.parse(data)
        except FormatError as error:
            raise FormatError(f"{path}: {error} - write the file again") from error

    @abstractmethod
    def dump(self, file: BinaryIO, snapshot: Snapshot) -> None:
        """Write the bytes; the same bytes for the same snapshot."""

    @abstractmethod
    def parse(self, data: bytes) -> Snapshot:
        """The snapshot of a file's bytes; FormatError saying what is wrong."""


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file that takes the name `path`, synced, when the block ends well, and is removed when it does not."""
    temporary = path.with_name(path.name + TEMPORARY)
    try:
        with open(temporary, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def get(name_or_path: str | os.PathLike[str]) -> Format:
    """The format called so, or the one that a path's suffix tells. FormatError with the known ones."""
    text = os.fspath(name_or_path)
    if text in REGISTRY:
        return REGISTRY.get(text)
    suffix = Path(text).suffix
    for file_format in REGISTRY.entries().values():
        if suffix == file_format.suffix:
            return file_format
    raise FormatError(f"no snapshot format for '{text}' - {advice(suffix.lstrip('.') or text, names())}")


def names() -> list[str]:
    """The names of all formats."""
    return list(REGISTRY)


def little_endian(array: np.ndarray) -> np.ndarray:
    """The array in C order with little-endian elements."""
    contiguous = np.asarray(array, order="C")
    return contiguous.astype(contiguous.dtype.newbyteorder("<")) if contiguous.dtype.byteorder == ">" else contiguous


def checked(condition: bool, message: str | Callable[[], str]) -> None:
    """FormatError with `message` unless `condition`."""
    if not condition:
        raise FormatError(message if isinstance(message, str) else message())
