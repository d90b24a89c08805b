"""Random words: element e of a stream has one 32-bit word, wherever a request starts; of a float64
stream, one 64-bit number.

Philox4x64-10 with counter (c, 0, 0, 0); a block of four 64-bit numbers makes eight words, low half
first. NumPy guarantees the raw output of its bit generators (NEP 19), so this is its `Philox`, set
to the block before the one that is wanted.
"""

from __future__ import annotations

import threading

import numpy as np

from initlab.engine.streams.key import Key

WORDS_A_BLOCK = 8
NUMBERS_A_BLOCK = 4


def wide_words(key: Key, start: int, count: int) -> np.ndarray:
    """Return the 64-bit numbers of elements start … start + count - 1, uint64: number e is words 2e
    and 2e + 1, the lower half first.
    """
    if start < 0 or count < 0:
        raise ValueError(f"start and count must not be negative, got {start} and {count}")
    first, offset = divmod(start, NUMBERS_A_BLOCK)
    blocks = (start + count + NUMBERS_A_BLOCK - 1) // NUMBERS_A_BLOCK - first
    return raw(key, first, blocks)[offset : offset + count]


def words(key: Key, start: int, count: int) -> np.ndarray:
    """Return the words of elements start … start + count - 1, uint32."""
    if start < 0 or count < 0:
        raise ValueError(f"start and count must not be negative, got {start} and {count}")
    numbers = wide_words(key, start // 2, (start + count + 1) // 2 - start // 2)
    return numbers.astype("<u8", copy=False).view("<u4")[start % 2 : start % 2 + count]


def raw(key: Key, first: int, blocks: int) -> np.ndarray:
    """Return blocks first … first + blocks - 1: four 64-bit numbers each, uint64."""
    if not hasattr(_local, "made"):
        nothing_left = {"buffer": (0, 0, 0, 0), "buffer_pos": 4, "has_uint32": 0, "uinteger": 0}
        _local.made = np.random.Philox(0), {"bit_generator": "Philox", "state": {}, **nothing_left}
    generator, state = _local.made
    inner = state["state"]
    inner["key"], inner["counter"] = key.words, (first, 0, 0, 0)
    generator.state = state
    made: np.ndarray = generator.random_raw(4 * blocks)
    return made


_local = threading.local()
"""Each thread keeps one generator. Setting its state takes a fortieth of the time of making one.
"""
