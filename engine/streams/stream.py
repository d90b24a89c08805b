"""Streams that are drawn from in order, and which of them is in use.

`nd.random` draws from `current()`: the stream of the parameter that is being filled, or the ambient
stream where none is. The module's state is the seed, the ambient stream, the generators of other
libraries' streams and the version in use. `seed` resets all of it except the version.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import ClassVar

import numpy as np

from initlab.engine.dtypes import resolve
from initlab.engine.errors import StreamError
from initlab.engine.registry import advice
from initlab.engine.streams import distribution, draw
from initlab.engine.streams.key import VERSION, Key, check_seed
from initlab.engine.streams.mxnet_stream import MXNetStream
from initlab.engine.streams.source import Source
from initlab.engine.streams.torch_stream import TorchStream
from initlab.engine.streams.words import WORDS_A_BLOCK, words

AMBIENT = "@ambient"
TORCH = "torch-2.13"
IN_ORDER: dict[str, Callable[[int], Source]] = {
    "mxnet-1.9.1": partial(MXNetStream, variate="y"),
    "mxnet-1.9.1-xvariate": partial(MXNetStream, variate="x"),
    TORCH: TorchStream,
}
"""Other libraries' own streams, whose values depend on the order of draws: name -> what makes one for a
seed. MXNet's has two names, by the value of each normal pair that it uses; the builds for Windows and
macOS use x.
"""
VERSIONS = (VERSION, *IN_ORDER)
ENVIRONMENT = "ENGINE_STREAM"


class Stream(Source):
    """A stream and the number of the element that is drawn next, a multiple of 8."""

    dtypes: ClassVar[tuple[str, ...]] = ("float32", "float16", "bfloat16", "float64")

    def __init__(self, key: Key) -> None:
        self.key = key
        self.cursor = 0

    def take(self, count: int) -> int:
        """Reserve `count` elements; return the index of the first."""
        if count < 0:
            raise ValueError(f"size must not be negative, got {count}")
        start = self.cursor
        self.cursor = -(-(start + count) // WORDS_A_BLOCK) * WORDS_A_BLOCK
        return start

    def take_wide(self, count: int) -> int:
        """Reserve `count` elements of float64, of two words each; return the index of the first."""
        return self.take(2 * count) // 2

    def uniform(self, low: float, high: float, size: int, dtype: str = "float32") -> np.ndarray:
        """`size` values of U[low, high), drawn as float64, or as float32 and rounded once within the
        bounds.
        """
        return self._drawn(distribution.uniform(low, high, dtype == "float64"), size, dtype)

    def normal(self, mean: float, std: float, size: int, dtype: str = "float32") -> np.ndarray:
        """`size` values of N(mean, std^2), drawn as float64, or as float32 and rounded once."""
        return self._drawn(distribution.normal(mean, std, dtype == "float64"), size, dtype)

    def _drawn(self, kind: distribution.Distribution, size: int, dtype: str) -> np.ndarray:
        """Return the next `size` values."""
        start = self.take_wide(size) if kind.wide else self.take(size)
        drawn = np.empty(size, kind.dtype)
        draw.draw_many([(kind, self.key, start, drawn)])
        return np.asarray(kind.rounded(drawn, resolve(dtype)))

    def keep(self, probability: float, size: int) -> np.ndarray:
        """u < probability for `size` uniforms u."""
        return self.uniform(0.0, 1.0, size) < np.float32(probability)

    def integers(self, low: int, high: int, size: int) -> np.ndarray:
        """`size` integers of [low, high), int64: low + floor(word * (high - low) / 2^32), so high -
        low is at most 2^32.
        """
        if not 0 < high - low <= 2**32:
            raise ValueError(f"low must be less than high, by at most 2^32, got {low} and {high}")
        wide = words(self.key, self.take(size), size).astype(np.uint64)
        return (wide * np.uint64(high - low) >> np.uint64(32)).astype(np.int64) + low


DTYPES = {VERSION: Stream.dtypes} | {name: make(0).dtypes for name, make in IN_ORDER.items()}
"""Version -> the dtypes that its random values are specified for."""
LAWS = {name: make(0).laws for name, make in IN_ORDER.items()}
"""Stream that is drawn from in order -> the kinds of laws that it draws."""


class _State:
    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.seed = 0
        self.epoch = 0
        self.epochs = 0
        self.ambient = Stream(Key(0, AMBIENT))
        self.version: str | None = None
        """None until `use` says; then it is what the environment says."""


_state = _State()
_scopes = threading.local()


def seed(number: int) -> None:
    """Set the seed (0 … 2^64-1), start the ambient stream anew and begin a new epoch: generations
    count from 0 again, and the names of networks are free again.

    Raises ValueError for anything else.
    """
    number = check_seed(number)
    with _state.lock:
        _state.seed = number
        _state.epochs += 1
        _state.epoch = _state.epochs
        _state.ambient = Stream(Key(number, AMBIENT))
    _scopes.generators, _scopes.seed = {}, number


@contextmanager
def kept() -> Iterator[None]:
    """While open, `seed` may be called and random values drawn; afterwards the seed, its epoch, the
    ambient stream, the version, and this thread's names, scopes and generators of other streams are
    as they were.
    """
    before = _state.seed, _state.epoch, _state.ambient, _state.version
    stack = list(getattr(_scopes, "stack", []))
    names = _epoch_and_names()
    generators = getattr(_scopes, "generators", {}), getattr(_scopes, "seed", 0)
    seed(_state.seed)
    try:
        yield
    finally:
        _scopes.generators, _scopes.seed = generators
        _scopes.names, _scopes.stack = names, stack
        with _state.lock:
            _state.seed, _state.epoch, _state.ambient, _state.version = before


def current_seed() -> int:
    """Return the seed in use; 0 if the process has not set one."""
    return _state.seed


def epoch() -> int:
    """Return the number of the latest call of `seed`; 0 before the first. No two calls have the same."""
    return _state.epoch


def taken() -> set[tuple[str, bool]]:
    """Return the names of networks and of parameters (with True) that were claimed in this thread
    since `seed` was called. See `engine.streams.names`.
    """
    return _epoch_and_names()[1]


def _epoch_and_names() -> tuple[int, set[tuple[str, bool]]]:
    if getattr(_scopes, "names", (None,))[0] != _state.epoch:
        _scopes.names = _state.epoch, set()
    names: tuple[int, set[tuple[str, bool]]] = _scopes.names
    return names


def ambient() -> Stream:
    """Return the stream of everything drawn outside a parameter."""
    return _state.ambient


def current() -> Source:
    """Return the source that `nd.random` draws from now in this thread: the stream of the innermost
    open `scope`, or the ambient stream. While another library's stream is in use, this thread's
    generator of it.
    """
    name = version()
    if name in IN_ORDER:
        return _generator(name)
    stack = getattr(_scopes, "stack", None)
    return stack[-1] if stack else _state.ambient


def _generator(name: str) -> Source:
    """This thread's generator. It starts at seed 0 in a thread that never called `seed`, whatever
    other threads did.
    """
    if not hasattr(_scopes, "generators"):
        _scopes.generators, _scopes.seed = {}, 0
    if name not in _scopes.generators:
        _scopes.generators[name] = IN_ORDER[name](_scopes.seed)
    generator: Source = _scopes.generators[name]
    return generator


@contextmanager
def scope(stream: Stream) -> Iterator[Stream]:
    """While open, `current()` in this thread gives `stream`. While another library's stream is in
    use it still gives that: it has no streams of parameters.
    """
    if not hasattr(_scopes, "stack"):
        _scopes.stack = []
    _scopes.stack.append(stream)
    try:
        yield stream
    finally:
        _scopes.stack.pop()


def use(version: str) -> None:
    """Use the named stream version. Raises StreamError if it is unknown."""
    _state.version = _known(version)


def _known(name: str) -> str:
    if name not in VERSIONS:
        raise StreamError(f"no stream version '{name}' - {advice(name, VERSIONS)}")
    return name


@contextmanager
def using(version: str) -> Iterator[None]:
    """Use the named stream version inside a `with`. Raises StreamError if it is unknown."""
    before = _state.version
    use(version)
    try:
        yield
    finally:
        _state.version = before


def version() -> str:
    """Return the name of the stream version in use, as recorded in manifests.

    It is set by `use`, else by the environment variable ENGINE_STREAM, else `initlab-1`. Raises
    StreamError if the variable has an unknown name.
    """
    if _state.version is None:
        _state.version = _known(os.environ.get(ENVIRONMENT) or VERSION)
    return _state.version
