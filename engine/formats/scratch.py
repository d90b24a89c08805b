"""Room for what is unpacked while a file is read: in memory if it is little, else a file without a name,
mapped, so that memory stays bounded whatever a file unpacks to.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Sequence

import numpy as np

from initlab.engine.errors import FormatError

IN_MEMORY = 1 << 24
"""Bytes up to which the room is memory."""
ALIGNED = 64
DENSEST, FREE = 1100, 1 << 20
"""How many times larger than in the file a part of it may be (deflate reaches 1032), and the bytes from
which that is asked.
"""


def rooms(sizes: Sequence[int]) -> list[np.ndarray]:
    """Return arrays of these numbers of bytes (uint8), which are disjoint.

    Raises FormatError if there is no such temporary space.
    """
    places = [-(-size // ALIGNED) * ALIGNED for size in sizes]
    whole, at, found = _room(sum(places)), 0, []
    for size, place in zip(sizes, places, strict=True):
        found.append(whole[at : at + size])
        at += place
    return found


def _room(size: int) -> np.ndarray:
    if size <= IN_MEMORY:
        return np.empty(size, np.uint8)
    try:
        with tempfile.TemporaryFile(prefix="initlab-") as file:
            if hasattr(os, "posix_fallocate"):  # or a full disk would end the process later
                os.posix_fallocate(file.fileno(), 0, size)
            mapped: np.ndarray = np.memmap(file, np.uint8, "r+", shape=(size,))
            return mapped.view(np.ndarray)
    except OSError as error:
        folder = tempfile.gettempdir()
        free = shutil.disk_usage(folder).free
        raise FormatError(
            f"needs {size:,} bytes to be unpacked, and {folder} has {free:,} ({error.strerror}): set TMPDIR "
            "to a folder with more"
        ) from None


def too_dense(size: int, stored: int) -> str | None:
    """Return what is wrong with a part that claims so many bytes, and has `stored` in the file."""
    if size > FREE and size > DENSEST * stored:
        return f"it says that it has {size} bytes, and {stored} are in the file"
    return None
