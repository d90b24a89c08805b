"""Laws that are made from other laws: repeated sub-kernels, blocks of different spread, and a
matrix that is scaled with data later.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from initlab.engine.errors import LawError
from initlab.engine.laws.base import Invariant, Law, from_description
from initlab.engine.laws.elementwise import Normal, Uniform
from initlab.engine.laws.factor import gram_invariant
from initlab.engine.laws.haar import Haar
from initlab.engine.streams import Key


@dataclass(frozen=True)
class Repeated(Law):
    """The tensor of another law, with each entry along axis 0 several times in a row.

    Source: Aitken et al., "Checkerboard artifact free sub-pixel convolution", 2017
    (arXiv:1707.02937).

    Example: {kind: repeated, law: {kind: normal, mean: 0, std: 0.02}, times: 4}
    """

    law: Law = field(default_factory=lambda: Normal(0.0, 1.0))
    """The law of the entries."""
    times: int = 1
    """How often each entry comes."""

    def __post_init__(self) -> None:
        if isinstance(self.times, bool) or not isinstance(self.times, int) or self.times < 1:
            raise LawError(
                f"repeated: times must be a whole number of at least 1, got {self.times!r}"
            )

    @property
    def exactness(self) -> str:  # type: ignore[override]
        """The law's."""
        return self.law.exactness

    @property
    def sliceable(self) -> bool:  # type: ignore[override]
        """The law's."""
        return self.law.sliceable

    @property
    def mean(self) -> Any:
        return self.law.mean

    @property
    def std(self) -> Any:
        return self.law.std

    @property
    def support(self) -> tuple[float, float]:
        """The law's."""
        return self.law.support

    def support_in(self, dtype: np.dtype) -> tuple[float, float]:
        """Return the law's."""
        return self.law.support_in(dtype)

    def check_shape(self, shape: tuple[int, ...]) -> None:
        """Raise LawError unless axis 0 is divisible by `times` and the inner law can fill the rest."""
        if not shape or shape[0] % self.times:
            raise LawError(
                f"{self} cannot fill shape {shape}: its axis 0 must be a multiple of {self.times}"
            )
        self.law.check_shape(self._inner(shape))

    def _inner(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return (shape[0] // self.times, *shape[1:])

    def _elements(
        self, key: Key, shape: tuple[int, ...], start: int, end: int, dtype: np.dtype
    ) -> np.ndarray:
        width = math.prod(shape[1:])
        if end <= start or not width:
            return np.empty(0, dtype)
        first, last = start // width // self.times, (end - 1) // width // self.times + 1
        drawn = self.law.draw(key, self._inner(shape), dtype, first * width, last * width).reshape(
            -1, width
        )
        offset = first * self.times * width
        return np.repeat(drawn, self.times, axis=0).reshape(-1)[start - offset : end - offset]

    def _later(self, key: Key, shape: tuple[int, ...], first: int, dtype: np.dtype) -> np.ndarray:
        inner = self._inner(shape)
        drawn = self.law._rounded(self.law._later(key, inner, first, dtype), dtype)
        return np.repeat(drawn.reshape(inner), self.times, axis=0).reshape(-1)

    def invariants(self, values: np.ndarray) -> list[Invariant]:
        """Entries that must be the same are the same, and the inner law's invariants hold of one of
        each."""
        apart = values.reshape(-1, self.times, *values.shape[1:])
        wrong = int((apart != apart[:, :1]).sum())
        return [
            Invariant("elements that differ from their sub-kernel", wrong, 0, wrong == 0),
            *self.law.invariants(apart[:, 0]),
        ]

    def describe(self) -> dict[str, Any]:
        """Return the law as JSON, including the description of the inner law."""
        return {"kind": self.kind, "law": self.law.describe(), "times": self.times}

    @classmethod
    def from_options(cls, options: dict[str, Any]) -> Law:
        """Return the law. The inner law is made from its own description."""
        return cls(from_description(options["law"]), options["times"])

    def __str__(self) -> str:
        return f"Repeated({self.law}, {self.times})"


@dataclass(frozen=True)
class Blocks(Law):
    """Uniform laws of different bounds in equal blocks of axis 0.

    Element i is bounds[b] times element i of Uniform(-1, 1) in the same dtype, rounded once, within
    the block's bounds.

    Formula: U(-bounds[b], bounds[b]) in block b

    Example: {kind: blocks, bounds: [0.1, 0.2]}
    """

    bounds: tuple[float, ...] = (1.0,)
    """The bound of each block."""

    def __post_init__(self) -> None:
        bounds = tuple(self.bounds)
        if not bounds or any(
            isinstance(b, bool) or not isinstance(b, (int, float)) or not 0 <= b < math.inf
            for b in bounds
        ):
            raise LawError(
                f"blocks: bounds must be finite numbers of at least 0, got {self.bounds!r}"
            )
        object.__setattr__(self, "bounds", tuple(float(b) for b in bounds))

    @property
    def mean(self) -> float:
        return 0.0

    @property
    def std(self) -> float:
        return math.sqrt(sum(b * b for b in self.bounds) / 3 / len(self.bounds))

    @property
    def kurtosis(self) -> float:
        """Of the mixture: the mean of b^4 / 5 over the squared variance, less 3."""
        fourth = sum(b**4 for b in self.bounds) / 5 / len(self.bounds)
        return fourth / self.std**4 - 3 if self.std > 0 else 0.0

    @property
    def support(self) -> tuple[float, float]:
        """The widest block's."""
        return -max(self.bounds), max(self.bounds)

    def support_in(self, dtype: np.dtype) -> tuple[float, float]:
        """Return the widest block's."""
        widest = max(self.bounds)
        return Uniform(-widest, widest).support_in(dtype)

    def check_shape(self, shape: tuple[int, ...]) -> None:
        """Raise LawError unless axis 0 divides into the blocks."""
        if not shape or shape[0] % len(self.bounds):
            raise LawError(
                f"{self} cannot fill shape {shape}: its axis 0 must divide into {len(self.bounds)} blocks"
            )

    def _elements(
        self, key: Key, shape: tuple[int, ...], start: int, end: int, dtype: np.dtype
    ) -> np.ndarray:
        drawn = Uniform(-1.0, 1.0).draw(key, shape, dtype, start, end)
        return self._scaled(drawn, shape, start)

    def _later(self, key: Key, shape: tuple[int, ...], first: int, dtype: np.dtype) -> np.ndarray:
        unit = Uniform(-1.0, 1.0)
        return self._scaled(unit._rounded(unit._later(key, shape, first, dtype), dtype), shape, 0)

    def _scaled(self, drawn: np.ndarray, shape: tuple[int, ...], start: int) -> np.ndarray:
        """Return elements from `start` on of a tensor, times the bounds of their blocks."""
        size = math.prod(shape) // len(self.bounds)
        block = np.arange(start, start + drawn.size) // max(1, size)
        limits = [Uniform(-bound, bound).support_in(drawn.dtype) for bound in self.bounds]
        low, high = np.asarray(limits, drawn.dtype).T[:, block]
        scaled: np.ndarray = drawn * np.asarray(self.bounds, drawn.dtype)[block]
        return np.where(scaled < low, low, np.where(scaled > high, high, scaled))

    def describe(self) -> dict[str, Any]:
        """Return the law as JSON, with the bounds as a list."""
        return {"kind": self.kind, "bounds": list(self.bounds)}

    @classmethod
    def from_options(cls, options: dict[str, Any]) -> Law:
        """Return the law for a list of bounds."""
        return cls(tuple(options["bounds"]))

    def __str__(self) -> str:
        return f"Blocks({', '.join(f'{b:.6g}' for b in self.bounds)})"


@dataclass(frozen=True)
class Stacked(Law):
    """Several laws, each in its block of axis 0.

    Element i is element i of its block's law, whose elements must be independent of each other.

    Example: {kind: stacked, laws: [{kind: normal, mean: 0, std: 0.02}, {kind: uniform, low: -1,
    high: 1}]}
    """

    laws: tuple[Law, ...] = ()
    """The law of each block; the blocks are equal."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "laws", tuple(self.laws))
        if not self.laws or not all(isinstance(law, Law) and law.elementwise for law in self.laws):
            raise LawError(
                f"stacked: laws must be at least one law of independent elements, got {self.laws!r}"
            )

    @property
    def mean(self) -> float:
        return float(sum(law.mean for law in self.laws) / len(self.laws))

    @property
    def std(self) -> float:
        squares = sum(law.std**2 + law.mean**2 for law in self.laws) / len(self.laws)
        return math.sqrt(squares - self.mean**2)

    @property
    def kurtosis(self) -> float | None:
        """Of the mixture; None unless all means are 0 and no law is a point."""
        if any(law.mean != 0 or law.kurtosis is None for law in self.laws):
            return None
        fourth = sum((law.kurtosis + 3) * law.std**4 for law in self.laws) / len(self.laws)
        return float(fourth / self.std**4 - 3)

    @property
    def support(self) -> tuple[float, float]:
        """From the smallest of all to the largest."""
        lows, highs = zip(*(law.support for law in self.laws), strict=True)
        return min(lows), max(highs)

    def support_in(self, dtype: np.dtype) -> tuple[float, float]:
        """Return the smallest and the largest value of all laws in a dtype."""
        lows, highs = zip(*(law.support_in(dtype) for law in self.laws), strict=True)
        return min(lows), max(highs)

    def cdf(self, x: np.ndarray) -> np.ndarray | None:
        """The mean of the laws' distribution functions."""
        each = [law.cdf(x) for law in self.laws]
        known = [values for values in each if values is not None]
        return np.mean(known, axis=0) if len(known) == len(each) else None

    def check_shape(self, shape: tuple[int, ...]) -> None:
        """Raise LawError unless axis 0 divides into the blocks."""
        if not shape or shape[0] % len(self.laws):
            raise LawError(
                f"{self} cannot fill shape {shape}: its axis 0 must divide into {len(self.laws)} blocks"
            )

    def check_dtype(self, dtype: np.dtype) -> None:
        """Raise LawError if no number of the dtype lies within the bounds of one of the laws."""
        for law in self.laws:
            law.check_dtype(dtype)

    def _elements(
        self, key: Key, shape: tuple[int, ...], start: int, end: int, dtype: np.dtype
    ) -> np.ndarray:
        size = math.prod(shape) // len(self.laws)
        parts = [
            law.draw(key, shape, dtype, max(start, b * size), min(end, (b + 1) * size))
            for b, law in enumerate(self.laws)
            if max(start, b * size) < min(end, (b + 1) * size)
        ]
        return np.concatenate(parts) if parts else np.empty(0, dtype)

    def _later(self, key: Key, shape: tuple[int, ...], first: int, dtype: np.dtype) -> np.ndarray:
        size = math.prod(shape) // len(self.laws)
        wholes = [law._rounded(law._later(key, shape, first, dtype), dtype) for law in self.laws]
        return np.concatenate([w[b * size : (b + 1) * size] for b, w in enumerate(wholes)])

    def describe(self) -> dict[str, Any]:
        """Return the law as JSON, including the descriptions of the blocks' laws."""
        return {"kind": self.kind, "laws": [law.describe() for law in self.laws]}

    @classmethod
    def from_options(cls, options: dict[str, Any]) -> Law:
        """Return the law. The blocks' laws are made from their own descriptions."""
        return cls(tuple(from_description(law) for law in options["laws"]))

    def __str__(self) -> str:
        return f"Stacked({', '.join(map(str, self.laws))})"


@dataclass(frozen=True)
class DataScaled(Haar):
    """A Haar matrix to be divided by the standard deviation of its layer's output for the declared
    data.

    The law draws the matrix; the factor depends on the data, so only a run of the network gives the
    values. The matrix is divided until |variance - 1| is below `tolerance`, at most `most` times.

    Source: Mishkin and Matas, "All you need is a good init", 2016 (arXiv:1511.06422).

    Example: {kind: data_scaled, tolerance: 0.1}
    """

    tolerance: float = 0.1
    """The largest |variance - 1| that is left."""
    most: int = 10
    """The most divisions."""
    exactness: ClassVar[str] = "tolerance"

    def invariants(self, values: np.ndarray) -> list[Invariant]:
        """Return the condition that the Gram matrix of the shorter side, of every block, is one
        multiple of the identity.
        """
        sides = self._sides(values)
        gain = math.sqrt(float(np.mean(np.square(sides.astype(np.float64)).sum(axis=2))))
        return [gram_invariant(sides, gain)]

    def __str__(self) -> str:
        return f"DataScaled({Haar(1.0, blocks=self.blocks)})"
