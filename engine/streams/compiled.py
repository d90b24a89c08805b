"""Drawing by a core of `engine.native`: any number of pieces in one call, with the reference's bits."""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Callable, Sequence

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
    draw = native.core(name).draw

    def fill(pieces: Sequence[Piece]) -> None:
        rows = []
        for piece in pieces:
            kind, key, start, out = piece
            if not out.size:
                continue
            address = _address(out)
            if address is None:
                reference.fill([piece])
                continue
            k0, k1 = key.words
            rows.append(PLACE.pack(k0, k1, start, out.size, address) + kind.packed_for(out.dtype))
        if rows:
            draw(b"".join(rows), len(rows))

    return fill


def _address(out: np.ndarray) -> int | None:
    """Return where the elements lie; None if they have gaps or cannot be written."""
    try:
        return ctypes.addressof(ctypes.c_char.from_buffer(out))  # type: ignore[arg-type]
    except TypeError:  # gaps
        return None
    except ValueError:  # read-only, or a dtype that buffers do not have
        if not (out.flags.writeable and out.flags.c_contiguous):
            return None
        return ctypes.addressof(ctypes.c_char.from_buffer(out.view(f"u{out.itemsize}")))  # type: ignore[arg-type]
