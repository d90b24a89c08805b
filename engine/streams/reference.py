"""Drawing by NumPy, always there: what every other implementation must equal bit for bit.

A large piece is drawn in blocks that fit the cache, straight into its array. The words of small ones are gathered, so that many tensors
are transformed in one pass.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np

from engine.streams import transforms, wide
from engine.streams.distribution import Distribution, Piece
from engine.streams.key import Key
from engine.streams.transforms import Scratch
from engine.streams.words import WORDS_A_BLOCK, raw, wide_words, words

BLOCK = 1 << 16
"""Elements that are transformed at once: their scratch arrays fit the second cache."""
SMALL = 1 << 14
"""Smaller pieces are gathered: the transforms' calls of NumPy cost as much as some thousand elements."""

_local = threading.local()


def fill(pieces: Sequence[Piece]) -> None:
    """Draw all pieces, in this thread."""
    gathered: dict[tuple[object, ...], list[Piece]] = {}
    room: dict[tuple[object, ...], int] = {}
    for piece in pieces:
        size = piece.out.size
        if len(pieces) == 1 or size >= SMALL or piece.distribution.wide:
            _in_blocks(piece)
            continue
        family = piece.distribution.family
        if room.get(family, 0) < size + 2 * WORDS_A_BLOCK:
            _together(gathered.pop(family, []))
            room[family] = BLOCK
        gathered.setdefault(family, []).append(piece)
        room[family] -= size + 2 * WORDS_A_BLOCK
    for batch in gathered.values():
        _together(batch)


def _scratch() -> Scratch:
    if not hasattr(_local, "scratch"):
        _local.scratch = Scratch(BLOCK + 2)
    return _local.scratch


def _in_blocks(piece: Piece) -> None:
    """Draw one piece in parts that end at multiples of BLOCK."""
    distribution, key, start, out = piece
    draw = _wide if distribution.wide else _narrow
    done = 0
    while done < out.size:
        count = min(BLOCK - (start + done) % BLOCK, out.size - done)
        draw(distribution, key, start + done, out[done : done + count])
        done += count


def _narrow(distribution: Distribution, key: Key, first: int, out: np.ndarray) -> None:
    """One block of float32; normals are drawn in pairs, the first of which has an even number."""
    scratch = _scratch()
    even = first - first % 2 if distribution.kind == "normal" else first
    count = out.size + first - even
    count += count % 2 if distribution.kind == "normal" else 0
    drawn = out if count == out.size else scratch("drawn", count)
    _standard(distribution, words(key, even, count), drawn, scratch)
    _scale(distribution, drawn[first - even : first - even + out.size], out)


def _together(pieces: list[Piece]) -> None:
    """Draw pieces of one family in one pass: each has whole blocks of words, so that pairs stay together."""
    scratch = _scratch()
    raws, places, at = [], [], 0
    for _, key, start, out in pieces:
        first = start // WORDS_A_BLOCK
        blocks = -(-(start + out.size) // WORDS_A_BLOCK) - first
        raws.append(raw(key, first, blocks))
        places.append(at + start - first * WORDS_A_BLOCK)
        at += blocks * WORDS_A_BLOCK
    if not at:
        return
    w = np.concatenate(raws, out=scratch("raw", at // 2, np.uint64)).astype("<u8", copy=False).view("<u4")
    drawn = scratch("drawn", at)
    _standard(pieces[0].distribution, w, drawn, scratch)
    alike = all(piece.distribution is pieces[0].distribution or piece.distribution == pieces[0].distribution for piece in pieces)
    if alike:
        _scale(pieces[0].distribution, drawn, drawn)
    for piece, place in zip(pieces, places, strict=True):
        if alike:
            piece.out[...] = drawn[place : place + piece.out.size]
        else:
            _scale(piece.distribution, drawn[place : place + piece.out.size], piece.out)


def _standard(distribution: Distribution, w: np.ndarray, out: np.ndarray, scratch: Scratch) -> None:
    """Values before they are scaled, float32."""
    match distribution.kind:
        case "uniform":
            transforms.uniform(w, out, scratch)
        case "normal":
            transforms.normal(w, out, scratch)
        case _:
            low, high = (np.float32(bound) for bound in distribution.constants[2:])
            transforms.truncated_normal(w, *distribution.numbers, low, high, out, scratch)


def _scale(distribution: Distribution, z: np.ndarray, out: np.ndarray) -> None:
    """Standard values to those wanted, in either width; `out` may be `z`. Every operation is rounded once."""
    number = distribution.dtype
    if distribution.kind == "uniform":
        width, low, largest = (number(c) for c in distribution.constants)
        np.multiply(z, width, out=out)
        np.add(out, low, out=out)
        np.minimum(out, largest, out=out)
        return
    std, mean = distribution.constants[:2]
    np.multiply(z, number(std), out=out)
    if mean != 0:
        np.add(out, number(mean), out=out)


def _wide(distribution: Distribution, key: Key, first: int, out: np.ndarray) -> None:
    """One block of float64."""
    match distribution.kind:
        case "uniform":
            z = wide.uniform(wide_words(key, first, out.size))
        case "normal":
            even, odd = first - first % 2, (first + out.size) % 2
            z = wide.normal(wide_words(key, even, first + out.size + odd - even))[first - even : first - even + out.size]
        case _:
            low, high = distribution.constants[2:]
            z = wide.truncated_normal(wide_words(key, first, out.size), *distribution.numbers, low, high)
    _scale(distribution, z, out)
