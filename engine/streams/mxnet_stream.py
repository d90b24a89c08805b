"""MXNet 1.9.1's random numbers on a CPU, bit for bit, for code that must repeat what MXNet gave.

A bank of 1024 Mersenne Twisters; engine i is seeded with seed * 127 + i. A draw of N values is
shared by min(ceil(N / 64), 1024) of them, each giving a run of consecutive values, so a value
depends on everything drawn before it in the thread. Every thread has a bank of its own, which
starts at seed 0. Sources: MXNet 1.9.1 include/mxnet/random_generator.h,
src/operator/random/sampler.h and sample_op.h, src/resource.cc; libstdc++'s `generate_canonical` and
`normal_distribution`.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

from initlab.engine.errors import StreamError
from initlab.engine.streams.logf import logf
from initlab.engine.streams.source import Source

ENGINES = 1024
MAGIC = 127
LEAST_A_RUN = 64
F = np.float32
TYPE_CODES = {"uint8": 3, "int32": 4, "int8": 5, "int64": 6, "bool": 7, "bfloat16": 12}
"""How mshadow numbers the other types (3rdparty/mshadow/mshadow/base.h)."""
BELOW_ONE = np.nextafter(F(1), F(0))


class Engine:
    """One Mersenne Twister, whose words can be looked at before they are taken."""

    def __init__(self, seed: int) -> None:
        self._generator = np.random.RandomState(seed)._bit_generator
        self._ahead = np.empty(0, np.uint64)

    def peek(self, count: int) -> np.ndarray:
        """Return the next `count` words, uint64 below 2^32, without advancing."""
        missing = count - self._ahead.size
        if missing > 0:
            self._ahead = np.concatenate([self._ahead, self._generator.random_raw(missing)])
        return self._ahead[:count]

    def take(self, count: int) -> np.ndarray:
        """Return the next `count` words and advance past them."""
        words = self.peek(count)
        self._ahead = self._ahead[count:]
        return words


class MXNetStream(Source):
    """The bank of one thread. `variate` is which of the polar method's two values is kept: MXNet on
    Linux keeps y.
    """

    dtypes: ClassVar[tuple[str, ...]] = ("float32", "float64", "float16")

    def __init__(self, seed: int, variate: str = "y") -> None:
        self._seed = seed % 2**32
        self._variate = variate
        self._engines: dict[int, Engine] = {}

    def _engine(self, number: int) -> Engine:
        if number not in self._engines:
            self._engines[number] = Engine((self._seed * MAGIC + number) % 2**32)
        return self._engines[number]

    def _check_dtype(self, dtype: str) -> None:
        """MXNet's own error for an element type that it has no random values of."""
        if dtype not in self.dtypes:
            code = TYPE_CODES.get(dtype, dtype)
            raise StreamError.checked(
                "Check failed: dtype_ok: Output type must be float16, float32, float64: dtype "
                f"is {code} vs 2 or 0 or 1"
            )

    def _runs(self, size: int) -> list[tuple[Engine, slice]]:
        """Return [(engine, slice)]: which engine fills which part of a draw."""
        if size == 0:
            return []
        engines = min(-(-size // LEAST_A_RUN), ENGINES)
        step = -(-size // engines)
        starts = range(0, size, step)
        return [
            (self._engine(i), slice(start, min(start + step, size)))
            for i, start in enumerate(starts)
        ]

    def uniform(self, low: float, high: float, size: int, dtype: str = "float32") -> np.ndarray:
        """low + (high - low) u in the dtype; float16 is the float64 value rounded to float32, then
        to float16.
        """
        self._check_dtype(dtype)
        if dtype == "float32":
            out = np.empty(size, F)
            for engine, part in self._runs(size):
                out[part] = _canonical32(engine.take(part.stop - part.start))
            return out * (F(high) - F(low)) + F(low)
        wide = np.empty(size, np.float64)
        for engine, part in self._runs(size):
            wide[part] = _canonical64(engine.take(2 * (part.stop - part.start)))
        return _narrowed(wide * float(F(high) - F(low)) + float(F(low)), dtype)

    def normal(self, mean: float, std: float, size: int, dtype: str = "float32") -> np.ndarray:
        """std v + mean, v by Marsaglia's polar method; the second value of each pair is thrown
        away, as MXNet does.
        """
        self._check_dtype(dtype)
        wide = dtype != "float32"
        out: Any = np.empty(size, np.float64 if wide else F)
        for engine, part in self._runs(size):
            out[part] = self._polar(engine, part.stop - part.start, wide)
        if wide:
            return _narrowed(out * float(F(std)) + float(F(mean)), dtype)
        scaled: np.ndarray = out * F(std) + F(mean)
        return scaled

    def _polar(self, engine: Engine, count: int, wide: bool) -> np.ndarray:
        """`count` standard normals; exactly the words of the trials up to the last accepted one are
        taken.
        """
        words_a_trial = 4 if wide else 2
        trials = count + 8
        while True:
            words = engine.peek(words_a_trial * trials)
            u = _canonical64(words) if wide else _canonical32(words)
            number: Any = u.dtype.type
            x, y = u[0::2] * number(2) - number(1), u[1::2] * number(2) - number(1)
            square = x * x + y * y
            accepted = np.flatnonzero((square <= 1) & (square != 0))
            if accepted.size >= count:
                break
            trials = math.ceil(trials * 1.5)
        chosen = accepted[:count]
        engine.take(words_a_trial * (int(chosen[-1]) + 1))
        kept, square = (y if self._variate == "y" else x)[chosen], square[chosen]
        logarithm: Any = np.array([math.log(s) for s in square]) if wide else logf(square)
        drawn: np.ndarray = kept * np.sqrt(number(-2) * logarithm / square)
        return drawn

    def integers(self, low: int, high: int, size: int) -> np.ndarray:
        """low + remainder of ((w0 << 31) + w1) by (high - low), as C computes it."""
        out = np.empty(size, np.int64)
        for engine, part in self._runs(size):
            words = engine.take(2 * (part.stop - part.start))
            wide = ((words[0::2] << np.uint64(31)) + words[1::2]).view(np.int64)
            out[part] = low + np.fmod(wide, high - low)
        return out

    def exponential(self, rate: float, size: int) -> np.ndarray:
        """-log(1 - u) / rate, computed in double from float32 uniforms and rounded to float32."""
        u = self.uniform(0.0, 1.0, size).astype(np.float64)
        return (
            np.array([-math.log(1.0 - v) for v in u]).reshape(size) / float(F(rate))
            if size
            else np.empty(0)
        )

    def keep(self, probability: float, size: int) -> np.ndarray:
        """u < probability, from float32 uniforms of the same bank."""
        return self.uniform(0.0, 1.0, size) < F(probability)


def _canonical32(words: np.ndarray) -> np.ndarray:
    """Return one number of [0, 1) for each word, as libstdc++ does for float."""
    below_one: np.ndarray = np.minimum(words.astype(F) * F(2.0**-32), BELOW_ONE)
    return below_one


def _canonical64(words: np.ndarray) -> np.ndarray:
    """Return one number of [0, 1) for each two words, as libstdc++ does for double."""
    total = words[0::2].astype(np.float64) + words[1::2].astype(np.float64) * 2.0**32
    return np.minimum(total / 2.0**64, np.nextafter(1.0, 0.0))


def _narrowed(values: np.ndarray, dtype: str) -> np.ndarray:
    return values if dtype == "float64" else values.astype(F).astype(dtype)
