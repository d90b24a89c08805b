"""A file that several threads write at different offsets, without the page cache where possible.

Whole pages are written directly to the disk (O_DIRECT), which takes a tenth of the CPU time and
leaves no dirty memory. Partial pages at the ends of a piece go through the cache. No page is
written both ways. On a file system that refuses O_DIRECT, everything goes through the cache.
"""

from __future__ import annotations

import errno
import mmap
import os
from contextlib import suppress
from pathlib import Path
from types import TracebackType

import numpy as np

PAGE = 4096
DIRECT_FROM = 1 << 16
"""Pieces smaller than this go through the cache: they cost one call instead of three."""


REFUSALS = {errno.EINVAL, errno.EOPNOTSUPP}
"""Error codes of a file system without O_DIRECT, or with larger pages."""


def _write(descriptor: int, piece: np.ndarray, offset: int) -> None:
    view, done = piece.data, 0
    while done < len(view):
        done += os.pwrite(descriptor, view[done:], offset + done)


def read_exactly(descriptor: int, into: np.ndarray, offset: int) -> None:
    """Fill `into` (uint8, contiguous) with the bytes of a file from `offset` on.

    Raises EOFError if the file ends before.
    """
    view, done = into.data, 0
    while done < len(view):
        count = os.preadv(descriptor, [view[done:]], offset + done)
        if count == 0:
            raise EOFError(
                f"the file ends at byte {offset + done}, {len(view) - done} more were expected"
            )
        done += count


class Buffer:
    """Memory of `size` bytes for pieces of a file, aligned like the pages of the file.

    It is in large pages where the system has them: a write looks up each page.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        memory = mmap.mmap(-1, size + PAGE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        if hasattr(mmap, "MADV_HUGEPAGE"):
            with suppress(OSError):  # a kernel without large pages
                memory.madvise(mmap.MADV_HUGEPAGE)
        self._memory = np.frombuffer(memory, np.uint8)

    def at(self, offset: int, size: int, itemsize: int = 1) -> np.ndarray:
        """Return `size` bytes (uint8) for the piece of a file that starts at byte `offset`.

        It overwrites the previous piece. If the offset is no multiple of `itemsize`, the memory is
        aligned to `itemsize` instead of the pages of the file. Raises ValueError if the piece is
        larger than the buffer.
        """
        if size > self.size:
            raise ValueError(f"a piece of {size} bytes does not fit into a buffer of {self.size}")
        first = 0 if offset % itemsize else offset % PAGE
        return self._memory[first : first + size]


class PlacedFile:
    """A file being written. Raises OSError as the operating system does (ENOSPC for a full disk)."""

    def __init__(self, path: Path, size: int, keep: bool = False) -> None:
        """Create the file, or open the existing one if `keep`, and reserve `size` bytes on the
        disk.
        """
        self.path = path
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | (0 if keep else os.O_TRUNC), 0o666)
        self._opened = [self._file]
        self._direct: int | None = None
        try:
            self._reserve(size)
            self._open_direct()
        except BaseException:
            self.close()
            raise

    def _reserve(self, size: int) -> None:
        os.ftruncate(self._file, size)
        if not size or not hasattr(os, "posix_fallocate"):
            return
        try:
            os.posix_fallocate(self._file, 0, size)
        except OSError as error:
            if error.errno not in REFUSALS:
                raise

    def _open_direct(self) -> None:
        if not hasattr(os, "O_DIRECT"):
            return
        try:
            self._direct = os.open(self.path, os.O_RDWR | os.O_DIRECT)
            self._opened.append(self._direct)
        except OSError as error:
            if error.errno not in REFUSALS:
                raise

    def write(self, offset: int, piece: np.ndarray) -> None:
        """Write bytes (uint8, contiguous) at byte `offset`.

        Threads may write at the same time if their ranges do not overlap.
        """
        direct = self._direct
        if direct is None or piece.size < DIRECT_FROM or (piece.ctypes.data - offset) % PAGE:
            _write(self._file, piece, offset)
            return
        head = -offset % PAGE
        whole = (piece.size - head) // PAGE * PAGE
        try:
            _write(direct, piece[head : head + whole], offset + head)
        except OSError as error:
            if error.errno not in REFUSALS:
                raise
            self._direct = None  # not closed yet: another thread may be writing through it
            _write(self._file, piece, offset)
            return
        _write(self._file, piece[:head], offset)
        _write(self._file, piece[head + whole :], offset + head + whole)

    def read(self, offset: int, into: np.ndarray) -> None:
        """Fill `into` (uint8, contiguous) with the bytes from `offset` on.

        Raises EOFError if the file ends before.
        """
        read_exactly(self._file, into, offset)

    def sync(self) -> None:
        """Return when everything written is on the disk."""
        os.fdatasync(self._file) if hasattr(os, "fdatasync") else os.fsync(self._file)

    def close(self) -> None:
        """Close the file. Data that was not synced may be lost."""
        for descriptor in self._opened:
            os.close(descriptor)
        self._opened, self._direct = [], None

    def __enter__(self) -> PlacedFile:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
