"""Generated batches: drawn from a law at `@data`, or constant."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from initlab.engine import laws
from initlab.engine.errors import OptionError
from initlab.engine.options import Finite, Positive
from initlab.runner.data.base import Batch, Data, data_key, register


@register
@dataclass
class Uniform(Data):
    """U[low, high)."""

    low: Finite = 0.0
    high: Finite = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.low >= self.high:
            raise OptionError("low", f"must be less than high ({self.high}), got {self.low}")

    def load(self, shape: tuple[int, ...], seed: int) -> Batch:
        """Return the batch drawn from `@data`."""
        return Batch(
            laws.Uniform(self.low, self.high).draw(data_key(seed), (self.batch, *shape)), None
        )


@register
@dataclass
class Normal(Data):
    """N(mean, std^2)."""

    mean: Finite = 0.0
    std: Positive = 1.0

    def load(self, shape: tuple[int, ...], seed: int) -> Batch:
        """Return the batch drawn from `@data`."""
        return Batch(
            laws.Normal(self.mean, self.std).draw(data_key(seed), (self.batch, *shape)), None
        )


@register
@dataclass
class Ones(Data):
    """Every element 1."""

    def load(self, shape: tuple[int, ...], seed: int) -> Batch:
        """Return the batch; it is the same for any seed."""
        return Batch(np.ones((self.batch, *shape), np.float32), None)
