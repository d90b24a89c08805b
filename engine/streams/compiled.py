"""Drawing by a core of `engine.native`: any number of pieces in one call, with the reference's bits."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence

import numpy as np

from initlab.engine import native
from initlab.engine.streams import reference
from initlab.engine.streams.distribution import Piece, check

START = struct.Struct("=Q")
"""A field of `struct row` in engine/native/host.c. The key's fields are before it, the distribution's
after it.
"""
BEGINNING = START.pack(0)


def filler(name: str) -> Callable[[Sequence[Piece]], None]:
    """Return the function that draws pieces with a core, one of `native.cores()`, in this thread.
    It gives up the interpreter's lock meanwhile. Its errors are those of `distribution.check`.
    """
    draw = native.core(name).draw

    def fill(pieces: Sequence[Piece]) -> None:
        rows: list[bytes] = []
        interfaces = []
        for piece in pieces:
            kind, key, start, out = piece
            if start == 0 and out.dtype is kind.dtype:
                rows += (key.digest, BEGINNING, kind.own)
            else:
                check(piece)
                rows += (key.digest, START.pack(start), kind.packed_for(out.dtype))
            interfaces.append(out.__array_struct__)
        if draw(b"".join(rows), interfaces):
            reference.fill([piece for piece in pieces if not _drawn_directly(piece[3])])

    return fill


def _drawn_directly(out: np.ndarray) -> bool:
    """Return whether a core has drawn into an array that it was given."""
    return out.ndim == 1 and out.flags.carray
