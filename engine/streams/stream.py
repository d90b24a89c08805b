"""Streams that are drawn from one request after the other, and which of them is drawn from now.

`nd.random` draws from `current()`: the stream of the parameter that is being filled, else the ambient stream. The seed, the ambient
stream and the version in use are the module's only state; `seed` resets the first two.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from engine.errors import StreamError
from engine.registry import advice
from engine.streams import draw
from engine.streams.key import VERSION, Key, check_seed
from engine.streams.words import WORDS_A_BLOCK, words

AMBIENT = "@ambient"
VERSIONS = (VERSION,)
ENVIRONMENT = "ENGINE_STREAM"


class Stream:
    """A stream and the number of the element that is drawn next, a multiple of 8."""

    def __init__(self, key: Key) -> None:
        self.key = key
        self.cursor = 0

    def take(self, count: int) -> int:
        """Reserve `count` elements; gives the number of the first."""
        if count < 0:
            raise ValueError(f"size must not be negative, got {count}")
        start = self.cursor
        self.cursor = -(-(start + count) // WORDS_A_BLOCK) * WORDS_A_BLOCK
        return start

    def uniform(self, low: float, high: float, size: int) -> np.ndarray:
        """`size` values of U[low, high), float32."""
        return draw.uniform(self.key, self.take(size), size, low, high)

    def normal(self, mean: float, std: float, size: int) -> np.ndarray:
        """`size` values of N(mean, std^2), float32."""
        return draw.normal(self.key, self.take(size), size, mean, std)

    def integers(self, low: int, high: int, size: int) -> np.ndarray:
        """`size` integers of [low, high), int64: low + floor(word * (high - low) / 2^32), so high - low is at most 2^32."""
        if not 0 < high - low <= 2**32:
            raise ValueError(f"low must be less than high, by at most 2^32, got {low} and {high}")
        wide = words(self.key, self.take(size), size).astype(np.uint64)
        return (wide * np.uint64(high - low) >> np.uint64(32)).astype(np.int64) + low


class _State:
    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.seed = 0
        self.epoch = 0
        self.ambient = Stream(Key(0, AMBIENT))
        self.version = VERSION


_state = _State()
_scopes = threading.local()


def seed(number: int) -> None:
    """Set the seed (0 … 2^64-1), start the ambient stream anew and begin a new epoch: generations count from 0 again."""
    check_seed(number)
    with _state.lock:
        _state.seed = number
        _state.epoch += 1
        _state.ambient = Stream(Key(number, AMBIENT))


def current_seed() -> int:
    """The seed in use; 0 in a process that never set one."""
    return _state.seed


def epoch() -> int:
    """How many times `seed` was called."""
    return _state.epoch


def ambient() -> Stream:
    """The stream of everything drawn outside a parameter."""
    return _state.ambient


def current() -> Stream:
    """The innermost open scope's stream, else the ambient one."""
    stack = getattr(_scopes, "stack", None)
    return stack[-1] if stack else _state.ambient


@contextmanager
def scope(stream: Stream) -> Iterator[Stream]:
    """While open, `current()` in this thread is `stream`."""
    if not hasattr(_scopes, "stack"):
        _scopes.stack = []
    _scopes.stack.append(stream)
    try:
        yield stream
    finally:
        _scopes.stack.pop()


def use(version: str) -> None:
    """Draw as the named stream version does. StreamError for one that is not known."""
    if version not in VERSIONS:
        raise StreamError(f"no stream version '{version}' - {advice(version, VERSIONS)}")
    _state.version = version


def version() -> str:
    """The name of the stream version in use, as manifests record it."""
    return _state.version


if os.environ.get(ENVIRONMENT):
    use(os.environ[ENVIRONMENT])
