"""Zip files whose members are not compressed: each member is a part of the file, so it can be mapped."""

from __future__ import annotations

import re
import struct
import zipfile
import zlib
from dataclasses import dataclass
from re import Pattern

import numpy as np

from initlab.engine.errors import FormatError
from initlab.engine.formats import pages
from initlab.engine.formats.base import checked

HEADER = 30
"""The bytes of a member's own header, before its name."""
BLOCK = 1 << 20
EVERY = re.compile("")


class Compressed(FormatError):
    """An archive with a member that cannot be mapped."""


@dataclass(frozen=True)
class Member:
    """The bytes of a member, not copied, and the checksum that the archive has of them."""

    part: np.ndarray
    crc: int

    def check(self, name: str) -> None:
        """Raise FormatError unless the bytes have their checksum."""
        found = 0
        for block in pages.read_once(self.part):
            found = zlib.crc32(block.data, found)
        checked(found == self.crc, f"is damaged: Bad CRC-32 for file {name!r}")


def members(raw: np.ndarray, wanted: Pattern[str] = EVERY) -> dict[str, Member]:
    """Return the members of the zip file in these bytes whose names begin as `wanted`, by name.

    Raises BadZipFile if it is no zip file, FormatError if it is damaged, and Compressed
    if one of them is compressed or encrypted.
    """
    try:
        with zipfile.ZipFile(_Bytes(raw)) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError, struct.error) as error:
        raise zipfile.BadZipFile(str(error)) from None
    found: dict[str, Member] = {}
    for entry in entries:
        name, start = entry.filename, entry.header_offset
        if not wanted.match(name):
            continue
        checked(name not in found, f"is damaged: it has '{name}' twice")
        header = raw[max(0, start) : start + HEADER].tobytes()
        checked(
            start >= 0 and len(header) == HEADER and header.startswith(b"PK\3\4"),
            f"is damaged: its part '{name}' is not where the archive says",
        )
        if entry.compress_type != zipfile.ZIP_STORED or entry.flag_bits & 1:
            raise Compressed(f"has the part '{name}' compressed or encrypted")
        start += HEADER + sum(struct.unpack("<HH", header[26:]))
        checked(
            start + entry.file_size <= raw.size and entry.compress_size == entry.file_size,
            f"is damaged: its part '{name}' is cut short",
        )
        found[name] = Member(raw[start : start + entry.file_size], entry.CRC)
    return found


class _Bytes:
    """A file to read from, over an array of bytes, which is not copied."""

    def __init__(self, raw: np.ndarray) -> None:
        self._raw, self._at = raw, 0

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        at = offset + (0, self._at, self._raw.size)[whence]
        if at < 0:
            raise OSError("a place before the beginning")
        self._at = at
        return at

    def tell(self) -> int:
        return self._at

    def read(self, count: int = -1) -> bytes:
        end = self._raw.size if count < 0 else self._at + count
        found = self._raw[self._at : end].tobytes()
        self._at += len(found)
        return found
