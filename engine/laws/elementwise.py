"""The laws whose elements are independent of each other: constant, uniform, normal, truncated
normal.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from initlab.engine import streams
from initlab.engine.errors import LawError
from initlab.engine.laws.base import LARGEST, Invariant, Law, check_numbers, check_reach, from_json
from initlab.engine.streams import Distribution, Key, Source
from initlab.engine.streams.distribution import FARTHEST

FARTHEST_64 = 9.5
"""FARTHEST for float64: half a 64-bit step from the end is at 9.2."""


@dataclass(frozen=True)
class Constant(Law):
    """A number, or an array that broadcasts to the shape.

    Example: {kind: constant, value: 0}
    """

    random: ClassVar[bool] = False
    value: Any
    """The number, or the array as nested lists."""

    def __post_init__(self) -> None:
        try:
            array = np.asarray(self.value)
        except ValueError:  # rows of different lengths
            array = np.asarray(None)
        if array.dtype.name == "bfloat16":
            array = array.astype(np.float64)
        if array.dtype.kind not in "biuf":
            raise LawError(
                f"constant: value must be a number or an array of numbers, got {self.value!r}"
            )
        if array.dtype.kind == "f" and np.isnan(array).any():
            raise LawError("constant: value must not be NaN")
        object.__setattr__(self, "value", array.tolist())

    @classmethod
    def from_options(cls, options: dict[str, Any]) -> Law:
        """Return the law. Infinities are given as text."""
        return cls(**{name: from_json(value) for name, value in options.items()})

    @cached_property
    def _array(self) -> np.ndarray:
        return np.asarray(self.value)

    @cached_property
    def _numbers(self) -> dict[np.dtype, np.ndarray]:
        """The number in each dtype that was asked for."""
        return {}

    @property
    def mean(self) -> float | None:
        return float(self._array.mean()) if self._array.size else None

    @property
    def std(self) -> float | None:
        return float(self._array.std()) if self._array.size else None

    @property
    def support(self) -> tuple[float, float]:
        array = self._array
        return (float(array.min()), float(array.max())) if array.size else (0.0, 0.0)

    def invariants(self, values: np.ndarray) -> list[Invariant]:
        """Return the condition that every element is the declared one."""
        return self._none_wrong("elements that differ from the constant", values)

    def check_shape(self, shape: tuple[int, ...]) -> None:
        """Raise LawError unless the array broadcasts to the shape."""
        if self._array.ndim == 0:
            return
        try:
            fits = np.broadcast_shapes(self._array.shape, shape) == tuple(shape)
        except ValueError:
            fits = False
        if not fits:
            raise LawError(
                f"constant: a value of shape {self._array.shape} does not broadcast to shape {shape}"
            )

    def _elements(
        self, key: Key, shape: tuple[int, ...], start: int, end: int, dtype: np.dtype
    ) -> np.ndarray:
        held = self._rounded(self._array, dtype)
        if held.ndim == 0:
            return np.full(end - start, held)
        return np.broadcast_to(held, shape).flat[start:end]

    def _write(self, key: Key, shape: tuple[int, ...], start: int, out: np.ndarray) -> None:
        if self._array.ndim == 0:
            if out.dtype not in self._numbers:
                self._numbers[out.dtype] = self._rounded(self._array, out.dtype)
            out[...] = self._numbers[out.dtype]
        else:
            out[:] = self._elements(key, shape, start, start + out.size, out.dtype)

    def __str__(self) -> str:
        return (
            f"Constant({self.value:g})"
            if self._array.ndim == 0
            else f"Constant(array {self._array.shape})"
        )


@dataclass(frozen=True)
class ForgetGate(Law):
    """A number in the second of four equal parts of axis 0, 0 in the others. An LSTM's gates are
    input, forget, cell, output.

    Source: Jozefowicz, Zaremba and Sutskever, "An empirical exploration of recurrent network
    architectures", 2015.

    Example: {kind: forget_gate, value: 1}
    """

    random: ClassVar[bool] = False
    value: float = 1.0
    """The number."""

    def __post_init__(self) -> None:
        check_numbers(self, "value")

    @property
    def support(self) -> tuple[float, float]:
        return min(0.0, self.value), max(0.0, self.value)

    def invariants(self, values: np.ndarray) -> list[Invariant]:
        """Return the condition that every element is the declared one."""
        return self._none_wrong("elements that differ from the declared biases", values)

    def _elements(
        self, key: Key, shape: tuple[int, ...], start: int, end: int, dtype: np.dtype
    ) -> np.ndarray:
        elements = np.zeros(end - start, dtype)
        part = shape[0] // 4 * math.prod(shape[1:])
        elements[max(part - start, 0) : max(2 * part - start, 0)] = self._rounded(
            np.asarray(self.value), dtype
        )
        return elements

    def __str__(self) -> str:
        return f"ForgetGate({self.value:g})"


@dataclass(frozen=True)
class Uniform(Law):
    """The uniform law; `low` can occur, `high` cannot.

    Formula: U[low, high)

    Example: {kind: uniform, low: -0.1, high: 0.1}
    """

    low: float
    """The smallest value."""
    high: float
    """The bound above."""

    def __post_init__(self) -> None:
        check_numbers(self, "low", "high")
        if self.low > self.high:
            raise LawError(
                f"uniform: low must not be greater than high, got {self.low} and {self.high}"
            )
        if self.support[1] - self.support[0] > LARGEST:
            raise LawError(
                f"uniform: the bounds {self.low} and {self.high} are too far apart for float32"
            )

    @property
    def mean(self) -> float:
        return (self.low + self.high) / 2

    @property
    def std(self) -> float:
        return (self.high - self.low) / math.sqrt(12)

    @property
    def _is_point(self) -> bool:
        """Whether the bounds are one number in float32."""
        return self.support[0] == self.support[1]

    @property
    def kurtosis(self) -> float | None:
        return None if self._is_point else -1.2

    @property
    def support(self) -> tuple[float, float]:
        return float(np.float32(self.low)), float(np.float32(self.high))

    def support_in(self, dtype: np.dtype) -> tuple[float, float]:
        """Return the smallest and the largest possible value. Raises StreamError if there is none."""
        return self.distribution(dtype == np.float64).limits(dtype)

    def cdf(self, x: np.ndarray) -> np.ndarray | None:
        """0 below, 1 above, linear between."""
        if self._is_point:
            return None
        return np.clip((x - self.low) / (self.high - self.low), 0, 1)

    def distribution(self, wide: bool) -> Distribution:
        """Uniform; a single value if both bounds are the same in the type that is drawn."""
        return streams.distribution.uniform(self.low, self.high, wide)

    def _in_order(self, source: Source, size: int, dtype: str) -> np.ndarray:
        return source.uniform(self.low, self.high, size, dtype)

    def __str__(self) -> str:
        return f"Uniform({self.low:.6g}, {self.high:.6g})"


def _normal_cdf(z: np.ndarray) -> np.ndarray:
    below = -np.asarray(z, np.float64) / math.sqrt(2)
    erfc = np.fromiter(map(math.erfc, below.reshape(-1).tolist()), np.float64, below.size)
    return 0.5 * erfc.reshape(below.shape)


@dataclass(frozen=True)
class Normal(Law):
    """The normal law.

    Formula: N(mean, std^2)

    Example: {kind: normal, mean: 0, std: 0.02}
    """

    mean: float = field()  # type: ignore[misc]
    """The mean."""
    std: float = field()  # type: ignore[misc]
    """The standard deviation."""

    def __post_init__(self) -> None:
        check_numbers(self, "mean", "std")
        if self.std < 0:
            raise LawError(f"normal: std must not be negative, got {self.std}")
        check_reach(self, abs(self.mean) + FARTHEST * self.std)

    @property
    def kurtosis(self) -> float | None:
        return 0.0 if self.std > 0 else None

    def cdf(self, x: np.ndarray) -> np.ndarray | None:
        """Phi((x - mean) / std)."""
        return _normal_cdf((x - self.mean) / self.std) if self.std > 0 else None

    def distribution(self, wide: bool) -> Distribution:
        """Normal."""
        return streams.distribution.normal(self.mean, self.std, wide)

    def _in_order(self, source: Source, size: int, dtype: str) -> np.ndarray:
        return source.normal(self.mean, self.std, size, dtype)

    def __str__(self) -> str:
        return f"Normal({self.mean:.6g}, {self.std:.6g})"


@dataclass(frozen=True)
class TruncatedNormal(Law):
    """The normal law, cut at both ends; `mean` and `std` of the law are those after the cut.

    Formula: N(location, scale^2) cut to [location + low scale, location + high scale]

    Example: {kind: truncated_normal, location: 0, scale: 0.02, low: -2, high: 2}
    """

    location: float
    """The mean before the cut."""
    scale: float
    """The standard deviation before the cut."""
    low: float = -2.0
    """The lower end, in units of scale from location."""
    high: float = 2.0
    """The upper end, in units of scale from location."""

    def __post_init__(self) -> None:
        check_numbers(self, "location", "scale")
        check_numbers(self, "low", "high", infinite=True)
        if self.scale < 0:
            raise LawError(f"truncated normal: scale must not be negative, got {self.scale}")
        if not self.low < self.high:
            raise LawError(
                f"truncated normal: low must be less than high, got {self.low} and {self.high}"
            )
        if streams.phi_word(self.low) >= streams.phi_word(self.high):
            raise LawError(
                f"truncated normal: nothing of the normal lies between {self.low} and {self.high}"
            )
        check_reach(self, abs(self.location) + FARTHEST * self.scale)

    @property
    def mean(self) -> float:
        return self.location + self.scale * streams.truncated_moments(self.low, self.high)[0]

    @property
    def std(self) -> float:
        return self.scale * streams.truncated_moments(self.low, self.high)[1]

    @property
    def kurtosis(self) -> float | None:
        return streams.truncated_moments(self.low, self.high)[2] if self.scale > 0 else None

    @property
    def support(self) -> tuple[float, float]:
        location, scale = np.float32(self.location), np.float32(self.scale)
        bounds = (max(-FARTHEST, min(FARTHEST, bound)) for bound in (self.low, self.high))
        low, high = (float(scale * np.float32(bound) + location) for bound in bounds)
        return low, high

    def support_in(self, dtype: np.dtype) -> tuple[float, float]:
        """Return the smallest and the largest possible value. Raises StreamError if there is none."""
        wide = dtype == np.float64
        low, high = self.distribution(wide).limits(dtype)
        farthest = self.scale * (FARTHEST_64 if wide else FARTHEST)
        return (
            low if math.isfinite(low) else self.location - farthest,
            high if math.isfinite(high) else self.location + farthest,
        )

    def cdf(self, x: np.ndarray) -> np.ndarray | None:
        """(Phi(z) - Phi(low)) / (Phi(high) - Phi(low)), z = (x - location) / scale."""
        if self.scale == 0:
            return None
        low, high = _normal_cdf(np.array([self.low, self.high]))
        below: np.ndarray = np.clip(
            (_normal_cdf((x - self.location) / self.scale) - low) / (high - low), 0, 1
        )
        return below

    def distribution(self, wide: bool) -> Distribution:
        """Truncated normal."""
        return streams.distribution.truncated_normal(
            self.location, self.scale, self.low, self.high, wide
        )

    def check_stream(self, name: str) -> None:
        """Raise StreamError if the stream does not have the law, or not with these bounds."""
        super().check_stream(name)
        if name == streams.TORCH:
            streams.check_cut(self.low, self.high)

    def _in_order(self, source: Source, size: int, dtype: str) -> np.ndarray:
        if not isinstance(source, streams.TorchStream):
            return super()._in_order(source, size, dtype)
        return source.truncated_normal(self.location, self.scale, self.low, self.high, size, dtype)

    def describe(self) -> dict[str, Any]:
        """Return the law as JSON, with `words`: round(2^n Phi(bound)) of both bounds, on which the
        values depend.
        """
        return {
            **super().describe(),
            "phi_words": [streams.phi_word(self.low), streams.phi_word(self.high)],
        }

    @classmethod
    def from_options(cls, options: dict[str, Any]) -> Law:
        """Return the law. Raises LawError if the words are not those of the bounds."""
        given = dict(options)
        words = given.pop("phi_words", None)
        law = cls(**{name: from_json(value) for name, value in given.items()})
        if words is not None and words != law.describe()["phi_words"]:
            raise LawError(
                f"{law}: its bounds come to the words {law.describe()['phi_words']}, its description "
                f"has {words}"
            )
        return law

    def __str__(self) -> str:
        return (
            f"TruncatedNormal({self.location:.6g}, {self.scale:.6g}, [{self.low:g}, {self.high:g}])"
        )
