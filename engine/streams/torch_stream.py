"""torch 2.13's random numbers on a CPU, bit for bit in float32, for values that must be those of
`torch.manual_seed(seed)`.

One Mersenne Twister gives all numbers, so a value depends on everything drawn before it in the thread.
Its seed is the lower 32 bits of torch's. These are the numbers of torch's kernels for AVX2, which
processors with AVX-512 use too; `docs/streams.md` says what other processors differ in. Sources: torch
2.13 ATen/native/cpu/DistributionTemplates.h, ATen/core/DistributionsHelper.h,
ATen/core/TransformationHelper.h, torch/nn/init.py.
"""

from __future__ import annotations

import decimal
import math
from collections.abc import Iterator
from decimal import Decimal
from typing import ClassVar

import numpy as np

from initlab.engine.errors import StreamError
from initlab.engine.streams.fused import fused, log, sine_and_cosine
from initlab.engine.streams.phi import PI, phi_word
from initlab.engine.streams.source import Source

F = np.float32
GROUP = 16
"""Normals are made in groups of so many, from as many uniform numbers."""
AT_ONCE = 1 << 16
"""Elements that are computed at once: their intermediate values stay in a processor's cache."""
LONG_RANGE = 1 << 28
"""A range of whole numbers from which on torch takes 64 bits for each."""
LEAST_LEFT = 0.3
"""torch draws normals and rejects those beyond the bounds if more than this part lies between them."""
DIGITS = 40


class TorchStream(Source):
    """torch's generator on the CPU: its position, and the second number of a pair of normals that was
    drawn by itself.
    """

    dtypes: ClassVar[tuple[str, ...]] = ("float32",)
    laws: ClassVar[tuple[str, ...]] = ("uniform", "normal", "truncated_normal")

    def __init__(self, seed: int) -> None:
        self._bits = np.random.RandomState(seed % 2**32)._bit_generator
        self._second: float | None = None

    def _words(self, count: int) -> np.ndarray:
        words: np.ndarray = self._bits.random_raw(count)
        return words

    def _wide(self, count: int) -> np.ndarray:
        """`count` numbers of 64 bits, the upper half first."""
        words = self._words(2 * count)
        return np.asarray((words[0::2] << np.uint64(32)) | words[1::2])

    def _fractions(self, count: int) -> np.ndarray:
        """Return `count` float32 of [0, 1): 24 bits of a word each."""
        kept = self._words(count).astype(np.uint32) & np.uint32((1 << 24) - 1)
        return kept.astype(F) * F(2.0**-24)

    def uniform(self, low: float, high: float, size: int, dtype: str = "float32") -> np.ndarray:
        """Return `size` values of `Tensor.uniform_(low, high)`: u (high - low) + low rounded once,
        and `low` for what rounds to `high`.
        """
        _check(dtype)
        first, last = F(low), F(high)
        out = np.empty(size, F)
        for part in _parts(size):
            values = fused(self._fractions(part.stop - part.start), last - first, first)
            out[part] = np.where(values == last, first, values)
        return out

    def normal(self, mean: float, std: float, size: int, dtype: str = "float32") -> np.ndarray:
        """Return `size` values of `Tensor.normal_(mean, std)` of a contiguous tensor.

        From 16 values on they are made in groups of 16 in float32; if the last group is not full,
        the last 16 values are made anew. Fewer are made one by one in float64.
        """
        _check(dtype)
        if size < GROUP:
            return np.array([self._single() * std + mean for _ in range(size)], np.float64).astype(
                F
            )
        out = np.empty(size, F)
        whole = size - size % GROUP
        for part in _parts(whole):
            out[part] = _transformed(self._fractions(part.stop - part.start), mean, std)
        if size > whole:
            self._words(size - whole)
            out[-GROUP:] = _transformed(self._fractions(GROUP), mean, std)
        return out

    def _single(self) -> float:
        """Return one standard normal in float64; each other call gives the second of a pair."""
        if self._second is not None:
            value, self._second = self._second, None
            return value
        u, v = (float(w) * 2.0**-53 for w in self._wide(2) & np.uint64((1 << 53) - 1))
        with decimal.localcontext(decimal.Context(prec=DIGITS)):
            radius = math.sqrt(-2.0 * float((1 - Decimal(v)).ln()))
            sine, cosine = _sine_and_cosine(Decimal(2.0 * math.pi * u))
        self._second = radius * sine
        return radius * cosine

    def truncated_normal(
        self, mean: float, std: float, low: float, high: float, size: int, dtype: str = "float32"
    ) -> np.ndarray:
        """Return `size` values of `torch.nn.init.trunc_normal_`, cut to `low` and `high` in units of
        `std` from the mean: values beyond are drawn again, all at a time.

        Raises StreamError for the bounds that `check_cut` refuses.
        """
        _check(dtype)
        check_cut(low, high)
        first, last = F(mean + low * std), F(mean + high * std)
        out = self.normal(mean, std, size)
        while True:
            beyond = (out < first) | (out > last)
            if not beyond.any():
                return out
            out = np.where(beyond, self.normal(mean, std, size), out)

    def integers(self, low: int, high: int, size: int) -> np.ndarray:
        """Return `size` values of `torch.randint(low, high, …)`: the remainder of a word of 32 or 64
        bits.
        """
        span = high - low
        words = self._wide(size) if span >= LONG_RANGE else self._words(size)
        return (words % np.uint64(span)).astype(np.int64) + low

    def keep(self, probability: float, size: int) -> np.ndarray:
        """u < probability for float32 u of the generator. torch's own dropout asks a library of the
        processor's maker for its masks, and has others.
        """
        return self.uniform(0.0, 1.0, size) < F(probability)


def check_cut(low: float, high: float) -> None:
    """Raise StreamError if 30 % of a standard normal or less lies between the bounds: torch draws
    such values in a way that is not repeated here.
    """
    left = (phi_word(high, 64) - phi_word(low, 64)) / 2**64
    if left <= LEAST_LEFT:
        raise StreamError(
            f"a normal of which {left:.0%} lies between the bounds is not specified in torch's stream "
            "- use wider bounds, or stream initlab-1"
        )


def _check(dtype: str) -> None:
    if dtype != "float32":
        raise StreamError(
            f"random values of dtype {dtype} are not specified in torch's stream - use float32"
        )


def _parts(size: int) -> Iterator[slice]:
    """Yield slices that cover `size` elements."""
    for start in range(0, size, AT_ONCE):
        yield slice(start, min(start + AT_ONCE, size))


def _transformed(u: np.ndarray, mean: float, std: float) -> np.ndarray:
    """Return the normals of groups of 16 uniform numbers by Box and Muller: the first eight of a group
    give the radii, the last eight the angles.
    """
    groups = u.reshape(-1, 2, GROUP // 2)
    radius = np.sqrt(F(-2) * log(F(1) - groups[:, 0]))
    sine, cosine = sine_and_cosine(F(2 * math.pi) * groups[:, 1])
    out = np.empty_like(groups)
    for number, factor in enumerate((cosine, sine)):
        out[:, number] = fused(radius * factor, F(std), F(mean))
    return out.reshape(-1)


def _sine_and_cosine(angle: Decimal) -> tuple[float, float]:
    """Return sine and cosine of an angle in [0, 2 pi), each rounded once: Taylor's series in decimal
    arithmetic, so that no library's rounding reaches the values.
    """
    angle = angle if angle <= PI else angle - 2 * PI
    sums = [Decimal(0), Decimal(0)]
    term, power = Decimal(1), 0
    while abs(term) > Decimal(10) ** -DIGITS:
        sums[power % 2] += term if power % 4 < 2 else -term
        power += 1
        term *= angle / power
    return float(sums[1]), float(sums[0])
