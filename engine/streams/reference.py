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
from engine.streams.words import WORDS_A_BLOCK, raw, wide_words

BLOCK = 1 << 16
"""Elements that are transformed at once: their scratch arrays fit the second cache."""
SMALL = 1 << 14
"""Smaller pieces are gathered: the transforms' calls of NumPy cost as much as some thousand elements."""

_local = threading.local()


def fill(pieces: Sequence[Piece]) -> None:
    """Draw all pieces, in this thread."""
    if len(pieces) == 1:
        _in_blocks(pieces[0])
        return
    batches: dict[tuple[object, ...], _Batch] = {}
    for piece in pieces:
        kind = piece.distribution
        if kind.wide or piece.out.size >= SMALL:
            _in_blocks(piece)
            continue
        batch = batches.get(kind.family)
        if batch is None:
            batch = batches[kind.family] = _Batch()
        batch.add(piece)
    for batch in batches.values():
        batch.draw()


class _Batch:
    """Small pieces of one family, which are drawn in one pass: each has whole blocks of words, so that pairs stay together."""

    def __init__(self) -> None:
        self.pieces: list[Piece] = []
        self.raws: list[np.ndarray] = []
        self.places: list[int] = []
        self.size = 0

    def add(self, piece: Piece) -> None:
        """Take its words; what was gathered before is drawn if they do not fit."""
        _, key, start, out = piece
        first = start // WORDS_A_BLOCK
        blocks = (start + out.size + WORDS_A_BLOCK - 1) // WORDS_A_BLOCK - first
        if self.size + blocks * WORDS_A_BLOCK > BLOCK:
            self.draw()
        self.pieces.append(piece)
        self.raws.append(raw(key, first, blocks))
        self.places.append(self.size + start - first * WORDS_A_BLOCK)
        self.size += blocks * WORDS_A_BLOCK

    def draw(self) -> None:
        """Draw what was gathered, and be empty again."""
        if self.size:
            kind = self.pieces[0].distribution
            scratch = _scratch()
            numbers = np.concatenate(self.raws, out=scratch("raw", self.size // 2, np.uint64))
            drawn = scratch("drawn", self.size)
            _standard(kind, numbers, drawn, scratch)
            alike = all(piece.distribution is kind for piece in self.pieces)
            if alike:
                _scale(kind, drawn, drawn)
            for piece, place in zip(self.pieces, self.places, strict=True):
                values = drawn[place : place + piece.out.size]
                if alike:
                    piece.out[...] = values
                else:
                    _scale(piece.distribution, values, piece.out)
        self.__init__()  # type: ignore[misc]


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


def _narrow(distribution: Distribution, key: Key, start: int, out: np.ndarray) -> None:
    """One block of float32, straight into `out` where that holds whole numbers of 64 bits, two words each."""
    scratch = _scratch()
    skipped = start % 2
    count = skipped + out.size + (start + out.size) % 2
    drawn = out if count == out.size else scratch("drawn", count)
    _standard(distribution, wide_words(key, (start - skipped) // 2, count // 2), drawn, scratch)
    _scale(distribution, drawn[skipped : skipped + out.size], out)


def _standard(distribution: Distribution, numbers: np.ndarray, out: np.ndarray, scratch: Scratch) -> None:
    """Values before they are scaled, float32, two of each 64-bit number."""
    match distribution.kind:
        case "uniform":
            transforms.uniform(_halves(numbers), out, scratch)
        case "normal":
            transforms.normal(numbers, out, scratch)
        case _:
            transforms.truncated_normal(_halves(numbers), *distribution.numbers, *distribution.scalars[2:], out, scratch)


def _halves(numbers: np.ndarray) -> np.ndarray:
    """The words of 64-bit numbers, the lower first."""
    return numbers.astype("<u8", copy=False).view("<u4")


def _scale(distribution: Distribution, z: np.ndarray, out: np.ndarray) -> None:
    """Standard values to those wanted, in either width; `out` may be `z`. Every operation is rounded once."""
    if distribution.kind == "uniform":
        width, low, largest = distribution.scalars
        np.multiply(z, width, out=out)
        np.add(out, low, out=out)
        np.minimum(out, largest, out=out)
        return
    std, mean = distribution.scalars[:2]
    np.multiply(z, std, out=out)
    if distribution.constants[1] != 0:
        np.add(out, mean, out=out)


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
