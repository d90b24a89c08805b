"""Random words: element e of a stream has one 32-bit word, wherever a request starts; of a float64 stream, one 64-bit number.

Philox4x64-10 with counter (c, 0, 0, 0); a block of four 64-bit numbers makes eight words, low half first. NumPy guarantees the raw
output of its bit generators (NEP 19), so this is its `Philox`, set to the block before the one that is wanted.
"""

from __future__ import annotations

import threading

import numpy as np

from engine.streams.key import Key

WORDS_A_BLOCK = 8


def wide_words(key: Key, start: int, count: int) -> np.ndarray:
    """The 64-bit numbers of elements start … start + count - 1, uint64: number e is words 2e and 2e + 1."""
    if start < 0 or count < 0:
        raise ValueError(f"start and count must not be negative, got {start} and {count}")
    return words(key, 2 * start, 2 * count).copy().view("<u8").astype(np.uint64, copy=False)


def words(key: Key, start: int, count: int) -> np.ndarray:
    """The words of elements start … start + count - 1, uint32."""
    if start < 0 or count < 0:
        raise ValueError(f"start and count must not be negative, got {start} and {count}")
    first = start // WORDS_A_BLOCK
    blocks = -(-(start + count) // WORDS_A_BLOCK) - first
    offset = start - first * WORDS_A_BLOCK
    return raw(key, first, blocks).astype("<u8", copy=False).view("<u4")[offset : offset + count]


def raw(key: Key, first: int, blocks: int) -> np.ndarray:
    """Blocks first … first + blocks - 1: four 64-bit numbers each, uint64."""
    if not hasattr(_local, "generator"):
        _local.generator = np.random.Philox(0)
        _local.state = _local.generator.state | {"buffer_pos": 4}  # nothing is left of the block before
    inner = _local.state["state"]
    inner["key"][:] = key.words
    inner["counter"][:] = first, 0, 0, 0
    _local.generator.state = _local.state
    return _local.generator.random_raw(4 * blocks)


_local = threading.local()
"""A generator a thread: setting one's state takes a twentieth of the time that making one does."""
