"""A law with rows that are 0 whatever is drawn: those of padding tokens."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from initlab.engine.errors import LawError
from initlab.engine.laws.base import Invariant, Law, from_description
from initlab.engine.laws.elementwise import Normal
from initlab.engine.streams import Key


@dataclass(frozen=True)
class ZeroRows(Law):
    """The tensor of another law, of independent elements, with zeros in some rows of axis 0. All
    other elements are those of the law without zero rows.

    Example: {kind: zero_rows, law: {kind: normal, mean: 0, std: 0.02}, rows: [0], of: 256}
    """

    law: Law = field(default_factory=lambda: Normal(0.0, 1.0))
    """The law of the other rows."""
    rows: tuple[int, ...] = (0,)
    """The rows that are 0."""
    of: int = 1
    """The number of rows."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "rows", tuple(sorted(set(self.rows))))
        if not self.rows or not all(0 <= row < self.of for row in self.rows):
            raise LawError(f"zero_rows: rows must be from 0 to {self.of - 1}, got {self.rows}")

    @property
    def exactness(self) -> str:  # type: ignore[override]
        """The law's."""
        return self.law.exactness

    @property
    def sliceable(self) -> bool:  # type: ignore[override]
        """The law's."""
        return self.law.sliceable

    @property
    def _part(self) -> float:
        """The part of the elements that the law draws."""
        return 1 - len(self.rows) / self.of

    @property
    def mean(self) -> Any:
        return None if self.law.mean is None else self._part * self.law.mean

    @property
    def std(self) -> Any:
        if self.law.mean is None or self.law.std is None:
            return None
        square = self._part * (self.law.std**2 + self.law.mean**2)
        return math.sqrt(max(0.0, square - self.mean**2))

    @property
    def kurtosis(self) -> float | None:
        """Of the mixture with zeros; None where the law's mean is not 0 or its kurtosis not known."""
        known = getattr(self.law, "kurtosis", None)
        if known is None or self.law.mean != 0 or not self.std:
            return None
        return float(self._part * (known + 3) * self.law.std**4 / self.std**4 - 3)

    @property
    def support(self) -> tuple[float, float]:
        """The law's, with 0."""
        low, high = self.law.support
        return min(low, 0.0), max(high, 0.0)

    def support_in(self, dtype: np.dtype) -> tuple[float, float]:
        """Return the law's, with 0."""
        low, high = self.law.support_in(dtype)
        return min(low, 0.0), max(high, 0.0)

    def cdf(self, x: np.ndarray) -> np.ndarray | None:
        """That of the mixture with zeros."""
        known = self.law.cdf(x)
        return None if known is None else self._part * known + (1 - self._part) * (x >= 0)

    def check_shape(self, shape: tuple[int, ...]) -> None:
        """Raise LawError unless there are `of` rows and the law can fill the shape."""
        if not shape or shape[0] != self.of:
            raise LawError(f"{self} cannot fill shape {shape}: it is for {self.of} rows")
        self.law.check_shape(shape)

    def check_dtype(self, dtype: np.dtype) -> None:
        """Do what the law does."""
        self.law.check_dtype(dtype)

    def check_stream(self, name: str) -> None:
        """Do what the law does."""
        self.law.check_stream(name)

    def _elements(
        self, key: Key, shape: tuple[int, ...], start: int, end: int, dtype: np.dtype
    ) -> np.ndarray:
        drawn = self.law.draw(key, shape, dtype, start, end)
        width = math.prod(shape[1:])
        for row in self.rows:
            drawn[max(0, row * width - start) : max(0, (row + 1) * width - start)] = 0
        return drawn

    def _later(self, key: Key, shape: tuple[int, ...], first: int, dtype: np.dtype) -> np.ndarray:
        drawn = self.law._rounded(self.law._later(key, shape, first, dtype), dtype)
        rows = drawn.reshape(shape[0], -1)
        rows[list(self.rows)] = 0
        return drawn

    def invariants(self, values: np.ndarray) -> list[Invariant]:
        """The rows are 0."""
        wrong = int(np.count_nonzero(values[list(self.rows)]))
        return [Invariant("elements of zero rows that are not 0", wrong, 0, wrong == 0)]

    def describe(self) -> dict[str, Any]:
        """Return the law as JSON, including the description of the inner law."""
        return {
            "kind": self.kind,
            "law": self.law.describe(),
            "rows": list(self.rows),
            "of": self.of,
        }

    @classmethod
    def from_options(cls, options: dict[str, Any]) -> Law:
        """Return the law. The inner law is made from its own description."""
        return cls(from_description(options["law"]), tuple(options["rows"]), options["of"])

    def __str__(self) -> str:
        rows = ", ".join(map(str, self.rows))
        return f"{self.law} with zeros in row{'s' * (len(self.rows) > 1)} {rows}"
