"""Drawing by a core of `engine.native`: any number of pieces in one call, with the reference's bits."""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from initlab.engine import native
from initlab.engine.streams import reference
from initlab.engine.streams.distribution import Piece

PLACE = struct.Struct("=5Q")
"""The first fields of `struct row` in engine/native/host.c; the others are the distribution's."""


def filler(name: str) -> Callable[[Sequence[Piece]], None]:
    """Return the function that draws pieces with a core, one of `native.cores()`, in this thread.
    It gives up the interpreter's lock meanwhile.
    """
    draw, pack = native.core(name).draw, PLACE.pack
    addressof = ctypes.addressof
    from_buffer: Callable[[Any], ctypes.c_char] = ctypes.c_char.from_buffer

    def fill(pieces: Sequence[Piece]) -> None:
        rows = []
        for piece in pieces:
            kind, key, start, out = piece
            try:
                address = addressof(from_buffer(out))
            except (TypeError, ValueError):
                if _needs_numpy(out):
                    reference.fill([piece])
                    continue
                address = addressof(from_buffer(out.view(f"u{out.itemsize}")))
            rows.append(pack(*key.words, start, out.size, address))
            rows.append(kind.own if out.dtype is kind.dtype else kind.packed_for(out.dtype))
        if rows:
            draw(b"".join(rows), len(rows) // 2)

    return fill


def _needs_numpy(out: np.ndarray) -> bool:
    """Return whether the elements have gaps, or cannot be written, or there are none. Buffers lack
    a dtype too, bfloat16.
    """
    return not (out.size and out.flags.writeable and out.flags.c_contiguous)
