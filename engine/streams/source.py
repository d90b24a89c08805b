"""The interface of sources of random values: the streams of `initlab-1`, or another library's own,
which depends on the order of draws.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np


class Source(ABC):
    """Gives random values in the order they are asked for."""

    dtypes: ClassVar[tuple[str, ...]]
    """The dtypes that uniform and normal values can be drawn in."""
    laws: ClassVar[tuple[str, ...]] = ("uniform", "normal")
    """The kinds of laws that it draws."""

    @abstractmethod
    def uniform(self, low: float, high: float, size: int, dtype: str = "float32") -> np.ndarray:
        """`size` values of U[low, high)."""

    @abstractmethod
    def normal(self, mean: float, std: float, size: int, dtype: str = "float32") -> np.ndarray:
        """`size` values of N(mean, std^2)."""

    @abstractmethod
    def integers(self, low: int, high: int, size: int) -> np.ndarray:
        """`size` whole numbers of [low, high), int64."""

    @abstractmethod
    def keep(self, probability: float, size: int) -> np.ndarray:
        """`size` truth values, each true with this probability: which elements dropout keeps."""
