"""The laws whose elements are independent of each other: constant, uniform, normal, truncated normal."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar

import numpy as np

from engine import streams
from engine.errors import LawError
from engine.laws.base import LARGEST, Invariant, Law, check_finite
from engine.streams import Key


@dataclass(frozen=True)
class Constant(Law):
    """A number, or an array (as nested lists) that broadcasts to the shape."""

    random: ClassVar[bool] = False
    value: Any

    def __post_init__(self) -> None:
        value = self.value.tolist() if isinstance(self.value, np.ndarray) else self.value
        object.__setattr__(self, "value", value)
        try:
            array = np.asarray(value, np.float64)
        except (TypeError, ValueError):
            raise LawError(f"constant: value must be a number or an array of numbers, got {value!r}") from None
        if np.isnan(array).any():
            raise LawError("constant: value must not be NaN")

    @property
    def _array(self) -> np.ndarray:
        return np.asarray(self.value, np.float64)

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
        """Every element is the declared one."""
        declared = np.broadcast_to(self._array, values.shape).astype(values.dtype)
        wrong = int((declared != values).sum())
        return [Invariant("elements that differ from the constant", wrong, 0, wrong == 0)]

    def check_shape(self, shape: tuple[int, ...]) -> None:
        """The array must broadcast to the shape."""
        try:
            np.broadcast_shapes(self._array.shape, shape)
            fits = np.broadcast_shapes(self._array.shape, shape) == tuple(shape)
        except ValueError:
            fits = False
        if not fits:
            raise LawError(f"constant: a value of shape {self._array.shape} does not broadcast to shape {shape}")

    def _elements(self, key: Key, shape: tuple[int, ...], start: int, end: int, dtype: np.dtype) -> np.ndarray:
        if self._array.ndim == 0:
            return np.full(end - start, self.value, dtype)
        return np.broadcast_to(self._array, shape).reshape(-1)[start:end].astype(dtype)

    def __str__(self) -> str:
        return f"Constant({self.value:g})" if self._array.ndim == 0 else f"Constant(array {self._array.shape})"


@dataclass(frozen=True)
class Uniform(Law):
    """U[low, high): `low` can occur, `high` cannot."""

    low: float
    high: float

    def __post_init__(self) -> None:
        check_finite("uniform", low=self.low, high=self.high)
        if self.low > self.high:
            raise LawError(f"uniform: low must not be greater than high, got {self.low} and {self.high}")
        if float(np.float32(self.high)) - float(np.float32(self.low)) > LARGEST:
            raise LawError(f"uniform: the bounds {self.low} and {self.high} are too far apart for float32")

    @property
    def mean(self) -> float:
        return (self.low + self.high) / 2

    @property
    def std(self) -> float:
        return (self.high - self.low) / math.sqrt(12)

    @property
    def kurtosis(self) -> float | None:
        return -1.2 if self.low < self.high else None

    @property
    def support(self) -> tuple[float, float]:
        return float(np.float32(self.low)), float(np.float32(self.high))

    def cdf(self, x: np.ndarray) -> np.ndarray | None:
        """0 below, 1 above, linear between."""
        if self.low == self.high:
            return None
        return np.clip((x - self.low) / (self.high - self.low), 0, 1)

    def _elements(self, key: Key, shape: tuple[int, ...], start: int, end: int, dtype: np.dtype) -> np.ndarray:
        if self.low == self.high:
            return np.full(end - start, self.low, np.float32)
        return streams.uniform(key, start, end - start, self.low, self.high)

    def __str__(self) -> str:
        return f"Uniform({self.low:.6g}, {self.high:.6g})"


def _normal_cdf(z: np.ndarray) -> np.ndarray:
    return 0.5 * _ERFC(-np.asarray(z, np.float64) / math.sqrt(2))


_ERFC = np.vectorize(math.erfc, otypes=[np.float64])


@dataclass(frozen=True)
class Normal(Law):
    """N(mean, std^2)."""

    mean: float = field()  # type: ignore[misc]
    std: float = field()  # type: ignore[misc]

    def __post_init__(self) -> None:
        check_finite("normal", mean=self.mean, std=self.std)
        if self.std < 0:
            raise LawError(f"normal: std must not be negative, got {self.std}")

    @property
    def kurtosis(self) -> float | None:
        return 0.0 if self.std > 0 else None

    def cdf(self, x: np.ndarray) -> np.ndarray | None:
        """Phi((x - mean) / std)."""
        return _normal_cdf((x - self.mean) / self.std) if self.std > 0 else None

    def _elements(self, key: Key, shape: tuple[int, ...], start: int, end: int, dtype: np.dtype) -> np.ndarray:
        return streams.normal(key, start, end - start, self.mean, self.std)

    def __str__(self) -> str:
        return f"Normal({self.mean:.6g}, {self.std:.6g})"


@dataclass(frozen=True)
class TruncatedNormal(Law):
    """N(location, scale^2) cut to [location + low scale, location + high scale]; `mean` and `std` are those after the cut."""

    location: float
    scale: float
    low: float = -2.0
    high: float = 2.0

    def __post_init__(self) -> None:
        check_finite("truncated normal", location=self.location, scale=self.scale)
        if self.scale < 0:
            raise LawError(f"truncated normal: scale must not be negative, got {self.scale}")
        if not self.low < self.high:
            raise LawError(f"truncated normal: low must be less than high, got {self.low} and {self.high}")
        if streams.phi_word(self.low) >= streams.phi_word(self.high):
            raise LawError(f"truncated normal: nothing of the normal lies between {self.low} and {self.high}")

    def _standard_moments(self) -> tuple[float, float, float, float]:
        """E[z^k], k = 1 … 4, of the standard normal between the bounds, by the recursion of its density."""
        a, b = self.low, self.high
        mass = 0.5 * (math.erfc(-b / math.sqrt(2)) - math.erfc(-a / math.sqrt(2)))

        def edge(x: float, power: int) -> float:
            return 0.0 if math.isinf(x) else x**power * math.exp(-x * x / 2) / math.sqrt(2 * math.pi)

        moments = [1.0, (edge(a, 0) - edge(b, 0)) / mass]
        for k in range(2, 5):
            moments.append((k - 1) * moments[k - 2] + (edge(a, k - 1) - edge(b, k - 1)) / mass)
        return moments[1], moments[2], moments[3], moments[4]

    @property
    def mean(self) -> float:
        return self.location + self.scale * self._standard_moments()[0]

    @property
    def std(self) -> float:
        m1, m2, _, _ = self._standard_moments()
        return self.scale * math.sqrt(m2 - m1 * m1)

    @property
    def kurtosis(self) -> float | None:
        m1, m2, m3, m4 = self._standard_moments()
        variance = m2 - m1 * m1
        return (m4 - 4 * m1 * m3 + 6 * m1 * m1 * m2 - 3 * m1**4) / variance**2 - 3 if self.scale > 0 else None

    @property
    def support(self) -> tuple[float, float]:
        scale, location = np.float32(self.scale), np.float32(self.location)
        low, high = (float(scale * np.float32(bound) + location) for bound in (self.low, self.high))
        return low, high

    def cdf(self, x: np.ndarray) -> np.ndarray | None:
        """(Phi(z) - Phi(low)) / (Phi(high) - Phi(low)), z = (x - location) / scale."""
        if self.scale == 0:
            return None
        low, high = _normal_cdf(np.array([self.low, self.high]))
        return np.clip((_normal_cdf((x - self.location) / self.scale) - low) / (high - low), 0, 1)

    def _elements(self, key: Key, shape: tuple[int, ...], start: int, end: int, dtype: np.dtype) -> np.ndarray:
        return streams.truncated_normal(key, start, end - start, self.location, self.scale, self.low, self.high)

    def describe(self) -> dict[str, Any]:
        """With the words that the bounds come to, which the values depend on."""
        words = [streams.phi_word(self.low), streams.phi_word(self.high)]
        finite = {name: v if math.isfinite(v) else str(v) for name, v in asdict(self).items()}
        return {"kind": self.kind, **finite, "phi_words": words}

    def __str__(self) -> str:
        return f"TruncatedNormal({self.location:.6g}, {self.scale:.6g}, [{self.low:g}, {self.high:g}])"
