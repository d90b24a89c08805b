"""Batches that are generated: from a law at `@data`, or constant."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from initlab.engine import laws
from initlab.engine.errors import OptionError
from initlab.runner.data.base import Batch, Data, data_key, register


def _check_number(option: str, value: float) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise OptionError(option, f"must be a finite number, got {value!r}")


@register
@dataclass
class Uniform(Data):
    """U[low, high): the article's input is 2 samples of U[0, 1)."""

    low: float = 0.0
    high: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_number("low", self.low)
        _check_number("high", self.high)
        if self.low >= self.high:
            raise OptionError("low", f"must be less than high ({self.high}), got {self.low}")

    def load(self, shape: tuple[int, ...], seed: int) -> Batch:
        """The batch drawn from `@data`."""
        return Batch(
            laws.Uniform(self.low, self.high).draw(data_key(seed), (self.batch, *shape)), None
        )


@register
@dataclass
class Normal(Data):
    """N(mean, std^2)."""

    mean: float = 0.0
    std: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_number("mean", self.mean)
        _check_number("std", self.std)
        if self.std <= 0:
            raise OptionError("std", f"must be a positive number, got {self.std}")

    def load(self, shape: tuple[int, ...], seed: int) -> Batch:
        """The batch drawn from `@data`."""
        return Batch(
            laws.Normal(self.mean, self.std).draw(data_key(seed), (self.batch, *shape)), None
        )


@register
@dataclass
class Ones(Data):
    """Every element 1."""

    def load(self, shape: tuple[int, ...], seed: int) -> Batch:
        """The same batch for any seed."""
        return Batch(np.ones((self.batch, *shape), np.float32), None)
