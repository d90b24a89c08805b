"""Drawing any range of elements of a stream, one tensor or many, by whichever implementation is in
use and on several threads.

A value depends on nothing but its element's number, so the result is the same for any parts,
threads and implementation.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from initlab.engine.streams import distribution, pool, reference
from initlab.engine.streams.distribution import Distribution, Piece
from initlab.engine.streams.implementation import filler
from initlab.engine.streams.key import Key

THREADED_FROM, COMPILED_FROM = 1 << 18, 1 << 22
"""Elements from which several threads draw, by NumPy and by a core; for fewer, waking threads costs
more.
"""
CUT = 1 << 16
"""The parts of a tensor drawn by different threads end at multiples of this."""
PARTS = 4
"""Parts for each thread, so that a delayed thread does not delay all."""


def draw_many(pieces: Sequence[Piece]) -> None:
    """Draw all pieces as one block of work, so many small tensors cost little more than a large
    one.

    Raises ValueError if an `out` is not flat or not of its distribution's dtype, or a start is
    negative.
    """
    fill = filler()
    workers = pool.workers()
    total = sum([piece[3].size for piece in pieces]) if workers > 1 else 0
    if fill is not reference.fill:
        alone = total < COMPILED_FROM
    else:  # small pieces are drawn mostly in Python, which threads cannot share
        alone = total < max(THREADED_FROM, reference.SMALL * len(pieces))
    if alone:
        fill(pieces)
        return
    for piece in pieces:
        distribution.check(piece)
    pool.share(fill, _parts(pieces, max(CUT, total // (PARTS * workers))))


def _parts(pieces: Sequence[Piece], size: int) -> Iterator[list[Piece]]:
    """Return the pieces in lists of about `size` elements. Large pieces are cut."""
    part: list[Piece] = []
    room = size
    for kind, key, start, out in pieces:
        done = 0
        while out.size - done > room:
            count = max(CUT, room) - (start + done) % CUT
            count = min(count, out.size - done)
            part.append((kind, key, start + done, out[done : done + count]))
            yield part
            part, room, done = [], size, done + count
        if done < out.size:
            part.append((kind, key, start + done, out[done:]))
            room -= out.size - done
    yield part


def _draw(
    kind: Distribution, key: Key, start: int, count: int, out: np.ndarray | None
) -> np.ndarray:
    if out is None:
        out = np.empty(count, kind.dtype)
    elif out.shape != (count,) or out.dtype != kind.dtype:
        raise ValueError(
            f"out must be {kind.dtype.name} of shape ({count},), got {out.dtype} {out.shape}"
        )
    draw_many([(kind, key, start, out)])
    return out


def uniform(
    key: Key, start: int, count: int, low: float, high: float, out: np.ndarray | None = None
) -> np.ndarray:
    """Return elements start … start + count - 1 of U[low, high), float32."""
    return _draw(distribution.uniform(low, high), key, start, count, out)


def normal(
    key: Key, start: int, count: int, mean: float, std: float, out: np.ndarray | None = None
) -> np.ndarray:
    """Return elements start … start + count - 1 of N(mean, std^2), float32."""
    return _draw(distribution.normal(mean, std), key, start, count, out)


def truncated_normal(
    key: Key,
    start: int,
    count: int,
    mean: float,
    std: float,
    low: float,
    high: float,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """Return elements start … start + count - 1 of N(mean, std^2) cut to [mean + low std, mean +
    high std], float32; the bounds are in units of std.
    """
    return _draw(distribution.truncated_normal(mean, std, low, high), key, start, count, out)


def uniform64(
    key: Key, start: int, count: int, low: float, high: float, out: np.ndarray | None = None
) -> np.ndarray:
    """Return elements start … start + count - 1 of U[low, high), float64."""
    return _draw(distribution.uniform(low, high, wide=True), key, start, count, out)


def normal64(
    key: Key, start: int, count: int, mean: float, std: float, out: np.ndarray | None = None
) -> np.ndarray:
    """Return elements start … start + count - 1 of N(mean, std^2), float64."""
    return _draw(distribution.normal(mean, std, wide=True), key, start, count, out)


def truncated_normal64(
    key: Key,
    start: int,
    count: int,
    mean: float,
    std: float,
    low: float,
    high: float,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """Return elements start … start + count - 1 of N(mean, std^2) cut to [mean + low std, mean +
    high std], float64; the bounds are in units of std.
    """
    return _draw(
        distribution.truncated_normal(mean, std, low, high, wide=True), key, start, count, out
    )
