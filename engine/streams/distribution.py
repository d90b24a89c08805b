"""Distributions to draw from, with constants that are rounded already, and pieces of streams.

Every implementation (NumPy's `reference`, the `compiled` one, the CUDA kernels) receives only
these, so none can round a constant differently.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TypeVar

import numpy as np

from initlab.engine.arrays import Array
from initlab.engine.errors import StreamError
from initlab.engine.streams.key import Key
from initlab.engine.streams.phi import phi_word

A = TypeVar("A", np.ndarray, Array)
KINDS = ("uniform", "normal", "truncated_normal")
NARROWER = {"float16": 1, "bfloat16": 2}
"""The dtypes that float32 is rounded to while it is drawn, and their numbers in compiled code."""
LARGEST = {"float16": 65504.0, "bfloat16": 3.3895313892515355e38}
FARTHEST = 6.67
"""No normal of float32 is drawn farther from its mean, in standard deviations: sqrt(-2 ln 2^-32) =
6.66.
"""


@dataclass(frozen=True)
class Distribution:
    """One of KINDS in float32, or in float64 if `wide`. Its constants are values of that type:

    kind               constants                              value
    uniform            width, low, the largest value          min(width u + low, largest)
    normal             std, mean                              std z + mean; std z if the mean is 0
    truncated_normal   std, mean, low, high in units of std   the same

    `numbers` of a truncated normal are round(2^32 Phi(bound)) of its two bounds, with 2^64 in place
    of 2^32 if `wide`.
    """

    kind: str
    wide: bool
    constants: tuple[float, ...]
    numbers: tuple[int, int] = (0, 0)

    @cached_property
    def dtype(self) -> np.dtype:
        """float32 or float64."""
        return np.dtype(np.float64 if self.wide else np.float32)

    @cached_property
    def scalars(self) -> tuple[np.ndarray, ...]:
        """The constants as arrays of no axes."""
        return tuple(np.array(c, self.dtype) for c in self.constants)

    @cached_property
    def family(self) -> tuple[object, ...]:
        """Equal for distributions that differ in nothing but their scale."""
        cut = self.constants[2:] if self.kind == "truncated_normal" else ()
        return self.kind, self.wide, cut, self.numbers

    @cached_property
    def reach(self) -> tuple[float, float]:
        """The smallest and the largest value in the distribution's own dtype; infinite for a side
        without bound.
        """
        if self.kind == "normal":
            return -math.inf, math.inf
        if self.kind == "uniform":
            return self.constants[1], self.constants[2]
        std, mean, low, high = self.scalars
        if std == 0:
            return float(mean), float(mean)
        return float(std * low + mean), float(std * high + mean)

    @cached_property
    def _limits(self) -> dict[np.dtype, tuple[float, float]]:
        return {}

    def limits(self, dtype: np.dtype) -> tuple[float, float]:
        """Return the smallest and the largest value in `dtype`, which may be narrower than the
        distribution's own: the outermost of its numbers within `reach`.

        A reach of one number is that number rounded. Raises StreamError if the dtype has no number
        within the reach.
        """
        if dtype not in self._limits:
            self._limits[dtype] = self._limits_in(dtype)
        return self._limits[dtype]

    def _limits_in(self, dtype: np.dtype) -> tuple[float, float]:
        with np.errstate(over="ignore"):
            smallest, largest = (np.asarray(bound, dtype) for bound in self.reach)
        low, high = self.reach
        if low < high:  # an infinite one is left, so that values beyond the dtype's range show
            if np.isfinite(smallest) and float(smallest) < low:
                smallest = np.nextafter(smallest, np.asarray(math.inf, dtype))
            if np.isfinite(largest) and float(largest) > high:
                largest = np.nextafter(largest, np.asarray(-math.inf, dtype))
        if smallest > largest:
            raise StreamError(
                f"{dtype.name} has no number from {low:.7g} to {high:.7g} - use a wider dtype"
            )
        return float(smallest), float(largest)

    def rounded(self, values: A, dtype: np.dtype) -> A:
        """Return drawn values in `dtype`, each rounded once; one that would leave the `limits` by
        that is the limit. The values, an array of any library, may be written over.

        Raises StreamError if the dtype has no number within the limits.
        """
        if dtype == self.dtype:
            return values
        low, high = self.limits(dtype)
        # Not minimum and maximum: processors differ in whether 0 or -0 is greater.
        if math.isfinite(low):
            values[values < low] = low
        if math.isfinite(high):
            values[values > high] = high
        with np.errstate(over="ignore"):
            return values.astype(dtype)

    @cached_property
    def packed(self) -> bytes:
        """The distribution for compiled code: three u64 and four f64, in native byte order.

        The first u64 is the number of the kind, plus 3 if `wide`. The other two are 0 except for
        truncated normals, which compute p = Pa + floor(w (Pb - Pa) / 2^n): they hold Pa - 2^(n-1)
        modulo 2^64, and Pb - Pa, where 2^64 is written as 0. The f64 are the constants, then zeros.
        """
        first, last = self.numbers
        half = 0 if self.kind != "truncated_normal" else 2 ** (63 if self.wide else 31)
        code = KINDS.index(self.kind) + len(KINDS) * self.wide
        constants = *self.constants, *(0.0,) * (4 - len(self.constants))
        return struct.pack(
            "=3Q4d", code, (first - half) % 2**64, (last - first) % 2**64, *constants
        )

    @cached_property
    def own(self) -> bytes:
        """`packed_for` the distribution's own dtype."""
        return self.packed_for(self.dtype)

    @cached_property
    def _packed_for(self) -> dict[np.dtype, bytes]:
        return {}

    def packed_for(self, dtype: np.dtype) -> bytes:
        """Return `packed`, followed by what float32 is rounded to: a u64, 0 for the distribution's
        own dtype, 1 for float16, 2 for bfloat16, and two f64, the `limits` in it.
        """
        found = self._packed_for.get(dtype)
        if found is None:
            own = dtype == self.dtype
            limits = (0.0, 0.0) if own else self.limits(dtype)
            number = 0 if own else NARROWER[dtype.name]
            found = self._packed_for[dtype] = self.packed + struct.pack("=Q2d", number, *limits)
        return found

    def reaches_beyond(self, dtype: np.dtype) -> bool:
        """Return whether a value may be too large for a narrower dtype."""
        if self.kind == "uniform":
            farthest = max(abs(bound) for bound in self.reach)
        else:
            farthest = abs(self.constants[1]) + FARTHEST * abs(self.constants[0])
        return not farthest < LARGEST[dtype.name]


Piece = tuple[Distribution, Key, int, np.ndarray]
"""Distribution, key, start and out: elements start … start + out.size - 1 of the stream `key`, wanted
in `out`: flat, of the distribution's dtype, or for float32 of one of NARROWER.

A plain tuple, because of many small tensors: a named one takes six times as long to make.
"""


def check(piece: Piece) -> None:
    """Raise ValueError if the `out` of a piece is not flat or not of a dtype that its distribution
    has, or its start is negative.
    """
    kind, _, start, out = piece
    if out.dtype is not kind.dtype or out.ndim != 1:
        narrower = not kind.wide and out.dtype.name in NARROWER and out.dtype.isnative
        if (out.dtype != kind.dtype and not narrower) or out.ndim != 1:
            raise ValueError(
                f"out must be {kind.dtype.name} of one axis, got {out.dtype} {out.shape}"
            )
    if start < 0:
        raise ValueError(f"start must not be negative, got {start}")


_DOUBLES = [struct.Struct(f"={count}d") for count in range(5)]


def uniform(low: float, high: float, wide: bool = False) -> Distribution:
    """U[low, high); `point` if both bounds are one number of the type. float32 rounds the bounds
    first, then their difference, which is computed in float64.
    """
    if low == high if wide else np.float32(low) == np.float32(high):
        return point(low, wide)
    if wide:
        return _made(
            "uniform", True, float(high - low), float(low), math.nextafter(high, -math.inf)
        )
    low32, high32 = np.float32(low), np.float32(high)
    width = np.float32(np.float64(high32) - np.float64(low32))
    return _made(
        "uniform",
        False,
        *(float(c) for c in (width, low32, np.nextafter(high32, np.float32(-np.inf)))),
    )


def point(value: float, wide: bool = False) -> Distribution:
    """Return the distribution that has only this value."""
    return _made("uniform", wide, 0.0, value, value)


def normal(mean: float, std: float, wide: bool = False) -> Distribution:
    """N(mean, std^2)."""
    return _made("normal", wide, std, mean)


def truncated_normal(
    mean: float, std: float, low: float, high: float, wide: bool = False
) -> Distribution:
    """N(mean, std^2) cut to [mean + low std, mean + high std].

    Raises ValueError if the normal has no probability between the bounds.
    """
    bits = 64 if wide else 32
    numbers = phi_word(low, bits), phi_word(high, bits)
    if numbers[0] >= numbers[1]:
        raise ValueError(f"nothing of a normal lies between {low} and {high}")
    return _made("truncated_normal", wide, std, mean, low, high, numbers=numbers)


def _made(
    kind: str, wide: bool, *constants: float, numbers: tuple[int, int] = (0, 0)
) -> Distribution:
    return _kept(kind, wide, _DOUBLES[len(constants)].pack(*constants), numbers)


@lru_cache(maxsize=1024)
def _kept(kind: str, wide: bool, constants: bytes, numbers: tuple[int, int]) -> Distribution:
    """Return the same object for the same distribution. The key is bytes because 0 and -0 are
    equal.
    """
    values = _DOUBLES[len(constants) // 8].unpack(constants)
    return Distribution(
        kind, wide, tuple(value if wide else float(np.float32(value)) for value in values), numbers
    )
