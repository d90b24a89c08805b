"""Drawing by NumPy, always there: what every other implementation must equal bit for bit.

A large piece is drawn in blocks that fit the cache, straight into its array. The words of small
ones are gathered, so that many tensors are transformed in one pass.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np

from initlab.engine.streams import transforms, wide
from initlab.engine.streams.distribution import Distribution, Piece, check
from initlab.engine.streams.key import Key
from initlab.engine.streams.transforms import Scratch
from initlab.engine.streams.words import WORDS_A_BLOCK, raw, wide_words

BLOCK = 1 << 16
"""Elements transformed at once; their scratch arrays fit the second-level cache."""
SMALL = 1 << 14
"""Smaller pieces are combined, since the NumPy calls of a transform cost as much as some thousand
elements.
"""

_local = threading.local()


def fill(pieces: Sequence[Piece]) -> None:
    """Draw all pieces, in this thread. Errors are those of `distribution.check`."""
    for piece in pieces:
        check(piece)
    if len(pieces) == 1:
        _in_blocks(pieces[0])
        return
    families: dict[tuple[object, ...], list[Piece]] = {}
    for piece in pieces:
        kind, _, _, out = piece
        if kind.wide or out.size >= SMALL or out.dtype != kind.dtype:
            _in_blocks(piece)
        elif kind.family in families:
            families[kind.family].append(piece)
        else:
            families[kind.family] = [piece]
    for family in families.values():
        _together(family)


def _together(family: list[Piece]) -> None:
    """Draw small pieces of one family in passes of up to BLOCK elements. Each has whole blocks of
    words, so that pairs stay together.
    """
    numbers = _scratch()("raw", BLOCK // 2, np.uint64)
    gathered: list[tuple[Piece, int]] = []
    at = 0
    for piece in family:
        _, key, start, out = piece
        first = start // WORDS_A_BLOCK
        blocks = (start + out.size + WORDS_A_BLOCK - 1) // WORDS_A_BLOCK - first
        if at + WORDS_A_BLOCK * blocks > BLOCK:
            _transform(gathered, numbers[: at // 2])
            gathered, at = [], 0
        gathered.append((piece, at + start - WORDS_A_BLOCK * first))
        numbers[at // 2 : at // 2 + 4 * blocks] = raw(key, first, blocks)
        at += WORDS_A_BLOCK * blocks
    _transform(gathered, numbers[: at // 2])


def _transform(gathered: list[tuple[Piece, int]], numbers: np.ndarray) -> None:
    """Turn gathered words into values and hand them out: each piece, and where in all of them its
    first is.
    """
    scratch, kind = _scratch(), gathered[0][0][0]
    drawn = scratch("drawn", 2 * numbers.size)
    _standard(kind, numbers, drawn, scratch)
    alike = all(other is kind for (other, *_), _ in gathered)
    if alike:
        _scale(kind, drawn, drawn)
    for (other, _, _, out), place in gathered:
        if alike:
            out[...] = drawn[place : place + out.size]
        else:
            _scale(other, drawn[place : place + out.size], out)


def _scratch() -> Scratch:
    if not hasattr(_local, "scratch"):
        _local.scratch = Scratch(BLOCK + 2)
    scratch: Scratch = _local.scratch
    return scratch


def _in_blocks(piece: Piece) -> None:
    """Draw one piece in parts that end at multiples of BLOCK."""
    distribution, key, start, out = piece
    draw = _wide if distribution.wide else _narrow
    own = out.dtype == distribution.dtype
    done = 0
    while done < out.size:
        count = min(BLOCK - (start + done) % BLOCK, out.size - done)
        part = out[done : done + count]
        drawn = part if own else _scratch()("own", count)
        draw(distribution, key, start + done, drawn)
        if not own:
            part[...] = distribution.rounded(drawn, out.dtype)
        done += count


def _narrow(distribution: Distribution, key: Key, start: int, out: np.ndarray) -> None:
    """Draw one block of float32 elements. It is drawn directly into `out` if it begins and ends at
    the bounds of 64-bit numbers, which give two elements each.
    """
    scratch = _scratch()
    skipped = start % 2
    count = skipped + out.size + (start + out.size) % 2
    drawn = out if count == out.size else scratch("drawn", count)
    _standard(distribution, wide_words(key, (start - skipped) // 2, count // 2), drawn, scratch)
    _scale(distribution, drawn[skipped : skipped + out.size], out)


def _standard(
    distribution: Distribution, numbers: np.ndarray, out: np.ndarray, scratch: Scratch
) -> None:
    """Write unscaled float32 values into `out`, two for each 64-bit number."""
    match distribution.kind:
        case "uniform":
            transforms.uniform(_halves(numbers), out, scratch)
        case "normal":
            transforms.normal(numbers, out, scratch)
        case _:
            low, high = distribution.scalars[2:]
            transforms.truncated_normal(
                _halves(numbers), *distribution.numbers, low, high, out, scratch
            )


def _halves(numbers: np.ndarray) -> np.ndarray:
    """Return the two words of each 64-bit number, the lower first."""
    return numbers.astype("<u8", copy=False).view("<u4")


def _scale(distribution: Distribution, z: np.ndarray, out: np.ndarray) -> None:
    """Standard values to those wanted, in either width; `out` may be `z`. Every operation is
    rounded once.
    """
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
    """Draw one block of float64 elements into `out`."""
    match distribution.kind:
        case "uniform":
            z = wide.uniform(wide_words(key, first, out.size))
        case "normal":
            even, odd = first - first % 2, (first + out.size) % 2
            z = wide.normal(wide_words(key, even, first + out.size + odd - even))[
                first - even : first - even + out.size
            ]
        case _:
            low, high = distribution.constants[2:]
            z = wide.truncated_normal(
                wide_words(key, first, out.size), *distribution.numbers, low, high
            )
    _scale(distribution, z, out)
