"""Drawing on a GPU: launching the kernels of `engine.native` for arrays that live there.

The device's own library compiles their text; the tests also compile it for the host and compare it
with NumPy's implementation, which it must equal bit for bit.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Sequence
from typing import cast

import numpy as np

from initlab.engine import native
from initlab.engine.arrays import Array
from initlab.engine.device import Device, launcher, runs_kernels
from initlab.engine.streams.distribution import NARROWER, Distribution, Piece
from initlab.engine.streams.key import Key
from initlab.engine.streams.source import Source
from initlab.engine.streams.stream import Stream

THREADS = 256
"""Threads in a block of the grid."""
BLOCKS = 1 << 16
"""Blocks of the grid at most; threads go on to further elements."""
NAMES = {"uniform": "uniform", "normal": "normal", "truncated_normal": "truncated"}


DTYPES = ("float16", "float32", "float64")
"""The dtypes that kernels draw; float16 is drawn as float32 and rounded once. All versions of CuPy
have arrays of these dtypes."""


def draw(
    device: Device, kind: Distribution, key: Key, start: int, count: int, dtype: np.dtype
) -> Array:
    """Return elements start … start + count - 1 of a stream as a raw array of the device, rounded
    once, within the limits of `kind`, where `dtype` is not that of `kind`.
    """
    at_once = dtype == kind.dtype or (
        not kind.wide and dtype.name in NARROWER and not kind.reaches_beyond(dtype)
    )
    flat = device.use().empty(count, dtype if at_once else kind.dtype)
    fill(device, [(kind, key, start, cast(np.ndarray, flat))])
    return kind.rounded(flat, dtype) if not at_once else flat


def draw_next(
    device: Device,
    source: Source,
    make: Callable[[bool], Distribution],
    shape: tuple[int, ...],
    dtype: np.dtype,
) -> Array | None:
    """Return the next values of a stream as a raw array of `shape` on the device; `make(is_wide)`
    gives the distribution, in float64 or float32.

    None if the host has to draw: the device runs no kernels, the source is not a `Stream`, or the
    dtype is not one of DTYPES.
    """
    if not (runs_kernels(device) and isinstance(source, Stream) and dtype.name in DTYPES):
        return None
    size, is_wide = math.prod(shape), dtype == np.float64
    start = source.take_wide(size) if is_wide else source.take(size)
    return draw(device, make(is_wide), source.key, start, size, dtype).reshape(shape)


def fill(device: Device, pieces: Sequence[Piece]) -> None:
    """Draw all pieces; each `out` is a flat, contiguous array on the device. Errors are those of the
    device's library.
    """
    launch = launcher(device)(native.device_text())
    for kind, key, start, out in pieces:
        if not out.size:
            continue
        elements = 4 if kind.wide else 8
        number = np.float64 if kind.wide else np.float32
        _, base, span, *numbers = struct.unpack("=3Q4dQ2d", kind.packed_for(out.dtype))
        constants, rounding, limits = numbers[:4], numbers[4], numbers[5:]
        needed = (start + out.size - 1) // elements - start // elements + 1
        words = [np.uint64(word) for word in (*key.words, start, out.size)]
        narrowing = () if kind.wide else (np.uint64(rounding), *map(np.float32, limits))
        arguments = (
            *(*words, *(number(c) for c in constants), np.uint64(base), np.uint64(span)),
            *(*narrowing, out),
        )
        launch(
            f"draw_{NAMES[kind.kind]}{64 if kind.wide else 32}",
            min(-(-needed // THREADS), BLOCKS),
            THREADS,
            arguments,
        )
