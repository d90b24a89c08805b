"""Drawing any range of elements of a stream, in blocks that fit the cache and on several threads.

A block's values depend on nothing but its elements' numbers, so the result is the same for any blocks and any threads.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from engine.streams import transforms, wide
from engine.streams.key import Key
from engine.streams.phi import phi_word
from engine.streams.transforms import Scratch
from engine.streams.words import wide_words, words

BLOCK = 1 << 16
THREADED_FROM = 1 << 20
"""Tensors smaller than this are drawn by one thread: starting others costs more."""

Fill = Callable[[int, np.ndarray, Scratch], None]
"""(first element, where to write) -> None, for one block."""

_local = threading.local()
_threads = min(os.cpu_count() or 1, 8)


def threads(count: int | None = None) -> int:
    """How many threads share one large tensor; sets it first when `count` is given. Results never depend on it."""
    global _threads
    if count is not None:
        if isinstance(count, bool) or not isinstance(count, int) or count < 1:
            raise ValueError(f"threads must be a whole number of at least 1, got {count!r}")
        _threads = count
    return _threads


def _scratch() -> Scratch:
    if not hasattr(_local, "scratch"):
        _local.scratch = Scratch(BLOCK + 2)
    return _local.scratch


def _in_blocks(fill: Fill, start: int, out: np.ndarray) -> None:
    """Call `fill` for pieces of `out` that end at multiples of BLOCK."""
    scratch = _scratch()
    done = 0
    while done < out.size:
        count = min(BLOCK - (start + done) % BLOCK, out.size - done)
        fill(start + done, out[done : done + count], scratch)
        done += count


def _draw(fill: Fill, start: int, count: int, out: np.ndarray | None, dtype: type = np.float32) -> np.ndarray:
    if out is None:
        out = np.empty(count, dtype)
    elif out.shape != (count,) or out.dtype != dtype:
        raise ValueError(f"out must be {dtype.__name__} of shape ({count},), got {out.dtype} {out.shape}")
    workers = threads()
    if workers == 1 or count < THREADED_FROM:
        _in_blocks(fill, start, out)
        return out
    share = -(-count // workers // BLOCK) * BLOCK
    with ThreadPoolExecutor(workers) as pool:
        pieces = [(start + at, out[at : at + share]) for at in range(0, count, share)]
        for future in [pool.submit(_in_blocks, fill, first, piece) for first, piece in pieces]:
            future.result()
    return out


def uniform64(key: Key, start: int, count: int, low: float, high: float, out: np.ndarray | None = None) -> np.ndarray:
    """Elements start … of U[low, high), float64."""

    def fill(first: int, piece: np.ndarray, scratch: Scratch) -> None:
        piece[:] = wide.uniform(wide_words(key, first, piece.size), low, high)

    return _draw(fill, start, count, out, np.float64)


def normal64(key: Key, start: int, count: int, mean: float, std: float, out: np.ndarray | None = None) -> np.ndarray:
    """Elements start … of N(mean, std^2), float64."""

    def fill(first: int, piece: np.ndarray, scratch: Scratch) -> None:
        even, odd = first - first % 2, (first + piece.size) % 2
        pairs = wide.normal(wide_words(key, even, first + piece.size + odd - even))
        piece[:] = wide.scale(pairs[first - even : first - even + piece.size], mean, std)

    return _draw(fill, start, count, out, np.float64)


def truncated_normal64(
    key: Key, start: int, count: int, mean: float, std: float, low: float, high: float, out: np.ndarray | None = None
) -> np.ndarray:
    """Elements start … of N(mean, std^2) cut to [mean + low std, mean + high std], float64; the bounds are in units of std."""
    low_number, high_number = phi_word(low, 64), phi_word(high, 64)

    def fill(first: int, piece: np.ndarray, scratch: Scratch) -> None:
        drawn = wide.truncated_normal(wide_words(key, first, piece.size), low_number, high_number, low, high)
        piece[:] = wide.scale(drawn, mean, std)

    return _draw(fill, start, count, out, np.float64)


def uniform(key: Key, start: int, count: int, low: float, high: float, out: np.ndarray | None = None) -> np.ndarray:
    """Elements start … of U[low, high), float32."""
    low32, high32 = np.float32(low), np.float32(high)

    def fill(first: int, piece: np.ndarray, scratch: Scratch) -> None:
        transforms.uniform(words(key, first, piece.size), low32, high32, piece, scratch)

    return _draw(fill, start, count, out)


def normal(key: Key, start: int, count: int, mean: float, std: float, out: np.ndarray | None = None) -> np.ndarray:
    """Elements start … of N(mean, std^2), float32."""
    mean32, std32 = np.float32(mean), np.float32(std)

    def fill(first: int, piece: np.ndarray, scratch: Scratch) -> None:
        even, odd = first - first % 2, (first + piece.size) % 2
        count = first + piece.size + odd - even
        whole = piece if count == piece.size else scratch("pairs", count)
        transforms.normal(words(key, even, count), whole, scratch)
        if whole is not piece:
            piece[:] = whole[first - even : first - even + piece.size]
        transforms.scale(piece, mean32, std32)

    return _draw(fill, start, count, out)


def truncated_normal(
    key: Key, start: int, count: int, mean: float, std: float, low: float, high: float, out: np.ndarray | None = None
) -> np.ndarray:
    """Elements start … of N(mean, std^2) cut to [mean + low std, mean + high std], float32; the bounds are in units of std."""
    mean32, std32 = np.float32(mean), np.float32(std)
    low_word, high_word = phi_word(low), phi_word(high)
    low32, high32 = np.float32(low), np.float32(high)

    def fill(first: int, piece: np.ndarray, scratch: Scratch) -> None:
        drawn = words(key, first, piece.size)
        transforms.truncated_normal(drawn, low_word, high_word, low32, high32, piece, scratch)
        transforms.scale(piece, mean32, std32)

    return _draw(fill, start, count, out)
