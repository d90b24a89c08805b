"""Random words: element e of a stream has one 32-bit word, wherever a request starts; of a float64 stream, one 64-bit number.

Philox4x64-10 with counter (c, 0, 0, 0); a block of four 64-bit numbers makes eight words, low half first. NumPy guarantees the raw
output of its bit generators (NEP 19), so this is its `Philox`, set to the block before the one that is wanted.
"""

from __future__ import annotations

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
    k0, k1 = key.words
    generator = np.random.Philox(key=np.array([k0, k1], np.uint64), counter=first)
    raw = generator.random_raw(4 * blocks) if blocks else np.empty(0, np.uint64)
    offset = start - first * WORDS_A_BLOCK
    return raw.astype("<u8", copy=False).view("<u4")[offset : offset + count]
